// A file of the corpus as a title and passages: pieces of about a thousand characters that end where a thought ends.
import { readWhole } from "#shared/tools/readable.ts";
import type { CorpusFile } from "./corpus-schema.ts";

export interface Document {
  readonly title: string;
  readonly passages: string[];
}

const PASSAGE_CHARS = 1000;
/** A heading begins a new passage unless the one before would be shorter than this. */
const MIN_CHARS = 300;
const MAX_TITLE_CHARS = 200;

/** Titles come from the document itself, or from its file name. A file without text has no passages. */
export function readDocument({ path, type, text }: Pick<CorpusFile, "path" | "type" | "text">): Document {
  const { title, body } = PARSERS[type](text.replaceAll("\0", "").replace(/\r\n?/g, "\n").toWellFormed());
  const fileName = path.split("/").at(-1) ?? path;
  return { title: oneLine(title) || fileName, passages: splitPassages(body) };
}

const PARSERS: Record<CorpusFile["type"], (text: string) => { title: string; body: string }> = {
  html(text) {
    const page = readWhole(text);
    return { title: page.title, body: page.text };
  },
  md(text) {
    const [frontMatter = ""] = /^---\n[^]*?\n---(?:\n|$)/.exec(text) ?? [];
    const body = text.slice(frontMatter.length);
    const named = /^title:[ \t]*["']?(.*?)["']?[ \t]*$/m.exec(frontMatter)?.[1];
    const heading = /^#{1,6}[ \t]+(.+?)[ \t#]*$/m.exec(body)?.[1] ?? /^(\S.*)\n=+[ \t]*$/m.exec(body)?.[1];
    return { title: named || heading || "", body };
  },
  txt(text) {
    const first = text.trim().split("\n", 1)[0] ?? "";
    return { title: first.length <= 100 ? first : "", body: text };
  },
};

/** Cuts at headings and paragraphs, within long paragraphs at sentences, within endless ones anywhere. */
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
  let rest = block.trim();
  const pieces: string[] = [];
  while (rest.length > PASSAGE_CHARS) {
    const end = cutPosition(rest.slice(0, PASSAGE_CHARS));
    pieces.push(rest.slice(0, end).trim());
    rest = rest.slice(end).trim();
  }
  return rest === "" ? pieces : [...pieces, rest];
}

function cutPosition(window: string): number {
  const sentence = /^[^]*[.!?。！？]["')\]]?(?=\s)/.exec(window)?.[0].length ?? 0;
  if (sentence > MIN_CHARS) return sentence;
  const space = Math.max(window.lastIndexOf(" "), window.lastIndexOf("\n"));
  if (space > MIN_CHARS) return space;
  // Never between the halves of a surrogate pair.
  return /[\ud800-\udbff]$/.test(window) ? window.length - 1 : window.length;
}

function oneLine(title: string): string {
  return title.replace(/\s+/g, " ").trim().slice(0, MAX_TITLE_CHARS).toWellFormed();
}
