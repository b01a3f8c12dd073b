// Splits running text, plain or Markdown, into sentences. Headings, code blocks and tables are no sentences and stay out.

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** A split after one of these is undone: the full stop belongs to the abbreviation. */
const ABBREVIATION = /(?:^|[\s(])(?:e\.g|i\.e|etc|cf|vs|no|nos|fig|dr|mr|mrs|ms|prof|st|approx|resp|inc|ltd|[A-Z])\.$/i;
const NO_PROSE = /^\s*(?:#{1,6}\s|\||[-=*_]{3,}\s*$|<[^>]+>\s*$)/;
const HEADING = /^\s*#{1,6}\s+(.*?)[\s#]*$/;
const FENCE = /^\s*(?:```|~~~)/;
/** A sentence may begin with code in lower case, which the segmenter does not take for a beginning. */
const BEFORE_CODE = /(?<=[\p{L}\p{N})`][.!?])\s+(?=`)/u;
const LIST_ITEM = /^\s*(?:[-*+•]|\d{1,3}[.)])\s+/;

/** The sentences of `text` in order, each on one line with Markdown marks removed. Never empty strings. */
export function splitSentences(text: string): string[] {
  return splitParagraphs(text).flatMap(({ sentences }) => sentences);
}

/** The Markdown headings of `text` in order, without their marks. */
export function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#{1,6}[ \t]+(.*?)[ \t#]*$/gm)].map(([, heading = ""]) => heading);
}

export interface Paragraph {
  /** The heading above it, without its marks; empty when there is none. */
  readonly heading: string;
  readonly sentences: readonly string[];
}

/** The same, paragraph by paragraph; a list item is one of its own. */
export function splitParagraphs(text: string): Paragraph[] {
  return proseBlocks(text).map(({ heading, block }) => ({
    heading,
    sentences: block.split(BEFORE_CODE).flatMap(splitBlock),
  }));
}

function splitBlock(block: string): string[] {
  const sentences: string[] = [];
  let pending = "";
  for (const { segment } of segmenter.segment(block)) {
    pending += segment;
    // Within code, a full stop ends nothing.
    if (ABBREVIATION.test(pending.trimEnd()) || pending.split("`").length % 2 === 0) continue;
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
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (FENCE.test(line)) {
      fenced = !fenced;
      close();
    } else if (fenced) {
      continue;
    } else if (line.trim() === "" || NO_PROSE.test(line)) {
      close();
      heading = HEADING.exec(line)?.[1] ?? heading;
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
    .replace(/!?\[([^\]]*)\]\([^)\s]*\)/g, "$1")
    .replace(/(\*\*|__|`)(.+?)\1/g, "$2")
    .replace(/\s+/g, " ")
    .trim();
}
