// Typed text as rows of a terminal: wrapped at its width, hidden characters written out, and the place of the cursor.
import { widthOf } from "../terminal-text.ts";
import type { Cursor } from "./live-area.ts";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
/** What terminals obey, and what turns the direction of writing. Joiners stay: Persian and emoji are written with them. */
const OBEYED = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
/** Before each row but the first. */
const INDENT = "  ";

export interface Layout {
  readonly rows: readonly string[];
  readonly cursor: Cursor;
}

/** `columns`: the terminal's width. At most `most` rows are shown, those around the cursor. */
export function layoutOf(prompt: string, text: string, cursor: number, columns: number, most: number): Layout {
  // A full last column would let some terminals begin a row of their own.
  const width = Math.max(columns - 1, INDENT.length + 4);
  const rows: string[] = [];
  let [row, used] = ["", 0];
  let at: Cursor | undefined;
  const next = () => {
    rows.push(row);
    [row, used] = [INDENT, INDENT.length];
  };
  // A prompt may be longer than a narrow screen is wide.
  for (const { segment, index } of graphemes.segment(prompt + text)) {
    const isCursor = index === prompt.length + cursor;
    if (segment === "\n" || segment === "\r\n") {
      if (isCursor) at = { row: rows.length, before: row };
      next();
      continue;
    }
    const shown = segment === "\t" ? "    " : segment.toWellFormed().replace(OBEYED, code);
    const wide = cautiousWidth(shown);
    if (used + wide > width && used > INDENT.length) next();
    if (isCursor) at = { row: rows.length, before: row };
    row += shown;
    used += wide;
  }
  at ??= { row: rows.length, before: row };
  rows.push(row);
  if (rows.length <= most) return { rows, cursor: at };
  const first = Math.min(Math.max(0, at.row - most + 1), rows.length - most);
  return { rows: rows.slice(first, first + most), cursor: { ...at, row: at.row - first } };
}

/** Columns that no terminal exceeds: some show the parts of a joined emoji one by one. */
function cautiousWidth(segment: string): number {
  if (segment.length === 1) return widthOf(segment);
  let parts = 0;
  for (const point of segment) parts += widthOf(point);
  return Math.max(parts, widthOf(segment));
}

function code(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
