// Text as a terminal shows it: its width in columns, cut and filled to a width, and foreign text without control
// characters. Text that a person judges keeps all its characters: see shared/text/visible.ts.

const ASCII = /^[\x20-\x7e]*$/;
/** Moves the cursor or changes colours. */
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g;
/** Turns the direction of writing. */
const DIRECTION = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const NO_WIDTH = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;
/** East Asian Width W and F (Unicode 16), by blocks. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Foreign text on one line, without control characters. */
export function oneLine(text: string): string {
  return ASCII.test(text) ? text : text.toWellFormed().replace(CONTROL, " ").replace(DIRECTION, "").trim();
}

/** Foreign text with its lines, without control characters; a tab becomes four spaces. */
export function manyLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.toWellFormed().replaceAll("\t", "    ").replace(CONTROL, " ").replace(DIRECTION, ""))
    .join("\n");
}

/** Width in columns of text without control characters. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** At most `width` columns of the text; cut text ends with an ellipsis. */
export function cutTo(text: string, width: number): string {
  if (width <= 0) return "";
  if (ASCII.test(text)) return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
  let kept = "";
  let used = 0;
  let fitting = "";
  for (const { segment } of graphemes.segment(text)) {
    const next = used + graphemeWidth(segment);
    if (next > width) return `${fitting}…`;
    kept += segment;
    used = next;
    if (used <= width - 1) fitting = kept;
  }
  return text;
}

/** At most `width` columns of the text, cut in the middle: a third of the columns shows the beginning, the rest the end. */
export function cutMiddle(text: string, width: number): string {
  if (width < 4 || (text.length <= width && ASCII.test(text)) || cutTo(text, width) === text) return cutTo(text, width);
  const start = cutTo(text, Math.floor((width - 1) / 3) + 1);
  // No visible character has more than 16 code units.
  const last = [...graphemes.segment(text.slice(-16 * width))].map(({ segment }) => segment);
  let [end, room] = ["", width - widthOf(start)];
  for (let segment = last.pop(); segment !== undefined; segment = last.pop()) {
    room -= graphemeWidth(segment);
    if (room < 0) break;
    end = segment + end;
  }
  return start + end;
}

/** The parts on as few lines as possible; a part that is wider than a line is cut. */
export function wrap(parts: readonly string[], separator: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const longer = lines.length === 0 ? "" : `${lines.at(-1) ?? ""}${separator}${part}`;
    if (longer !== "" && widthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(cutTo(part, width));
  }
  return lines;
}

/** The text filled with spaces up to `width` columns, so that it stands at `side`; longer text stays unchanged. */
export function fill(text: string, width: number, side: "left" | "right" = "left"): string {
  const spaces = " ".repeat(Math.max(0, width - widthOf(text)));
  return side === "left" ? text + spaces : spaces + text;
}

function graphemeWidth(segment: string): number {
  if (NO_WIDTH.test(segment)) return 0;
  return WIDE.test(segment) || EMOJI.test(segment) ? 2 : 1;
}
