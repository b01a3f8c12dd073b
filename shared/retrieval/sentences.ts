// Splits plain text or Markdown into sentences, without headings, code blocks and tables.
import { slicesOf } from "../text/slices.ts";
import { trimEndOf } from "../text/spaces.ts";

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** The full stop of an abbreviation ends no sentence. */
const ABBREVIATION = /(?:^|[\s(])(?:e\.g|i\.e|etc|cf|vs|no|nos|fig|dr|mr|mrs|ms|prof|st|approx|resp|inc|ltd|[A-Z])\.$/i;
/** Characters of the longest abbreviation with its surroundings. */
const ABBREVIATION_CHARS = 12;
const NO_PROSE = /^\s*(?:#{1,6}\s|\||[-=*_]{3,}\s*$|<[^>]+>\s*$)/;
const HEADING_MARK = /^\s*#{1,6}\s+/;
const LINE_END = /\r\n|\r|\n/;
const FENCE = /^\s*(?:```|~~~)/;
/** A sentence may begin with code in lower case, where the segmenter sees no beginning. */
const BEFORE_CODE = /(?<=[\p{L}\p{N})`][.!?])\s+(?=`)/u;
const LIST_ITEM = /^\s*(?:[-*+•]|\d{1,3}[.)])\s+/;

/** The sentences of `text` in order, each on one line without Markdown marks. None is empty. */
export function splitSentences(text: string): string[] {
  return splitParagraphs(text).flatMap(({ sentences }) => sentences);
}

/** Slices of a text whose sentences can be split one by one: a code block that is cut goes on as one. */
export function proseSlices(text: string): string[] {
  let isFenced = false;
  return slicesOf(text).map((slice) => {
    const whole = isFenced ? `\`\`\`\n${slice}` : slice;
    for (const line of slice.split(LINE_END)) if (FENCE.test(line)) isFenced = !isFenced;
    return whole;
  });
}

/** The Markdown headings of `text` in order, without their marks. */
export function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#{1,6}[ \t].*$/gm)].flatMap(([line]) => headingOf(line) ?? []);
}

/** The text of a Markdown heading; undefined for other lines. */
export function headingOf(line: string): string | undefined {
  const [mark] = HEADING_MARK.exec(line) ?? [];
  return mark === undefined ? undefined : trimEndOf(line.slice(mark.length), /[\s#]/);
}

export interface Paragraph {
  /** The heading above, without its marks; "" for none. */
  readonly heading: string;
  readonly sentences: readonly string[];
}

/** The sentences by paragraph. A list item is a paragraph. */
export function splitParagraphs(text: string): Paragraph[] {
  return proseBlocks(text).map(({ heading, block }) => ({
    heading,
    sentences: block.split(BEFORE_CODE).flatMap(splitBlock),
  }));
}

function splitBlock(block: string): string[] {
  const sentences: string[] = [];
  let pending = "";
  let inCode = false;
  for (const { segment } of segmenter.segment(withoutLinks(block))) {
    pending += segment;
    for (let tick = segment.indexOf("`"); tick >= 0; tick = segment.indexOf("`", tick + 1)) inCode = !inCode;
    // Within code a full stop ends no sentence.
    if (inCode || ABBREVIATION.test(segment.slice(-ABBREVIATION_CHARS).trimEnd())) continue;
    const sentence = plain(pending);
    if (sentence !== "") sentences.push(sentence);
    pending = "";
  }
  const rest = plain(pending);
  return rest === "" ? sentences : [...sentences, rest];
}

/** Paragraphs and list items, with wrapped lines joined. */
function proseBlocks(text: string): { heading: string; block: string }[] {
  const blocks: { heading: string; block: string }[] = [];
  let heading = "";
  let lines: string[] = [];
  let fenced = false;
  const close = () => {
    if (lines.length > 0) blocks.push({ heading, block: lines.join(" ") });
    lines = [];
  };
  for (const line of text.split(LINE_END)) {
    if (FENCE.test(line)) {
      fenced = !fenced;
      close();
    } else if (fenced) {
      continue;
    } else if (line.trim() === "" || NO_PROSE.test(line)) {
      close();
      heading = headingOf(line) ?? heading;
    } else {
      if (LIST_ITEM.test(line)) close();
      lines.push(line.replace(LIST_ITEM, "").trim());
    }
  }
  close();
  return blocks;
}

function plain(sentence: string): string {
  return sentence
    .replace(/(\*\*|__|`)(.+?)\1/g, "$2")
    .replace(/\s+/g, " ")
    .trim();
}

/** Replaces Markdown links and images by their text. One pass, whatever the number of brackets. */
function withoutLinks(text: string): string {
  if (!text.includes("](")) return text;
  let written = "";
  let from = 0;
  let open = -1;
  let stop = -1;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "[") open = at;
    if (text[at] !== "]") continue;
    const begin = open;
    open = -1;
    if (begin < from || text[at + 1] !== "(") continue;
    // An address ends at its bracket. With a space inside, this is no link.
    while (stop < at + 2 || (stop < text.length && !/[)\s]/.test(text.charAt(stop)))) stop = Math.max(stop, at + 1) + 1;
    if (text[stop] !== ")") continue;
    const image = begin > from && text[begin - 1] === "!" ? 1 : 0;
    written += text.slice(from, begin - image) + text.slice(begin + 1, at);
    from = stop + 1;
    at = stop;
  }
  return written + text.slice(from);
}
