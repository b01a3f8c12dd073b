// Reads a file of the corpus as a title and passages of about a thousand characters, cut at paragraphs or sentences.
import { headingsOf } from "#shared/retrieval/sentences.ts";
import { SLICE_CHARS } from "#shared/text/slices.ts";
import { oneLine } from "#shared/text/spaces.ts";
import { readWhole } from "#shared/tools/readable.ts";
import type { CorpusFile } from "./corpus-schema.ts";

export interface Document {
  readonly title: string;
  readonly passages: string[];
}

const PASSAGE_CHARS = 1000;
/** A heading starts a new passage unless the current one is shorter. */
const MIN_CHARS = 300;
/** Characters that two pieces share, so that a usual sentence is whole in one of them. */
const OVERLAP_CHARS = 150;
const MAX_TITLE_CHARS = 200;

/**
 * The title comes from the document, or else from its file name. A file without text has no passages. Yields after each
 * slice of the file.
 */
export function* readDocument({
  path,
  type,
  text,
}: Pick<CorpusFile, "path" | "type" | "text">): Generator<undefined, Document> {
  const clean = text.replaceAll("\0", "").replace(/\r\n?/g, "\n").toWellFormed();
  const { title, body } = type === "html" ? yield* readPage(clean) : PARSERS[type](clean);
  if (clean.length > SLICE_CHARS) yield;
  const fileName = path.split("/").at(-1) ?? path;
  return { title: oneLine(title).slice(0, MAX_TITLE_CHARS).toWellFormed() || fileName, passages: splitPassages(body) };
}

function* readPage(html: string): Generator<undefined, { title: string; body: string }> {
  const { title, text } = yield* readWhole(html);
  return { title, body: text };
}

const PARSERS: Record<Exclude<CorpusFile["type"], "html">, (text: string) => { title: string; body: string }> = {
  md(text) {
    const [frontMatter = ""] = /^---\n[^]*?\n---(?:\n|$)/.exec(text) ?? [];
    const body = text.slice(frontMatter.length);
    return { title: titleIn(frontMatter) || headingIn(body), body };
  },
  txt(text) {
    const first = text.trim().split("\n", 1)[0] ?? "";
    return { title: first.length <= 100 ? first : "", body: text };
  },
  // The first line of a table or program is no title.
  data: (text) => ({ title: "", body: text }),
};

/** The value of a line `title: …`, without quotation marks. */
function titleIn(frontMatter: string): string {
  const value = /^title:(.*)$/m.exec(frontMatter)?.[1]?.trim() ?? "";
  return /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
}

/** The first heading, in either form of Markdown; "" for none. */
function headingIn(body: string): string {
  const [marked] = headingsOf(body);
  if (marked !== undefined && marked !== "") return marked;
  return /^(\S.*)\n=+[ \t]*$/m.exec(body)?.[1] ?? "";
}

/** Cuts at headings and paragraphs; long paragraphs at sentences; endless ones anywhere. */
export function splitPassages(text: string): string[] {
  const passages: string[] = [];
  let current = "";
  const flush = () => {
    if (current !== "") passages.push(current);
    current = "";
  };
  for (const block of text.split(/\n[ \t]*\n/).flatMap(splitBlock)) {
    const startsSection = /^#{1,6} /.test(block) && current.length >= MIN_CHARS;
    if (startsSection || current.length + block.length > PASSAGE_CHARS) flush();
    current = current === "" ? block : `${current}\n\n${block}`;
  }
  flush();
  return passages;
}

function splitBlock(block: string): string[] {
  const whole = block.trim();
  const pieces: string[] = [];
  let from = 0;
  while (whole.length - from > PASSAGE_CHARS) {
    const window = whole.slice(from, from + PASSAGE_CHARS);
    const sentence = /^[^]*[.!?。！？]["')\]]?(?=\s)/.exec(window)?.[0].length ?? 0;
    const end = sentence > MIN_CHARS ? sentence : spaceBefore(window, PASSAGE_CHARS);
    pieces.push(window.slice(0, end).trim());
    // After a cut inside a sentence, the next piece repeats the text around the cut.
    from += sentence > MIN_CHARS ? sentence : spaceBefore(window, end - OVERLAP_CHARS);
  }
  const rest = whole.slice(from).trim();
  return rest === "" ? pieces : [...pieces, rest];
}

/** The last end of a word before `at`, or else a place that splits no surrogate pair. */
function spaceBefore(window: string, at: number): number {
  const space = Math.max(window.lastIndexOf(" ", at), window.lastIndexOf("\n", at));
  if (space > MIN_CHARS) return space;
  return /[\ud800-\udbff]$/.test(window.slice(0, at)) ? at - 1 : at;
}
