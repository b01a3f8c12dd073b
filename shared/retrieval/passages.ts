// Reads and writes passages as agents exchange them: `[n] Title`, `source: …`, text, blank line. A header counts only
// before a `source:` line, so that `[2]` in running text stays text.
import { oneLine } from "../text/spaces.ts";

export interface Passage {
  readonly title: string;
  /** Path or URL. */
  readonly source: string;
  readonly text: string;
}

export interface NumberedPassage extends Passage {
  /** The passage's number in the text; citations `[n]` refer to it. */
  readonly number: number;
}

const HEADER = /^\[(\d{1,6})\][ \t]*(.*)$/;
const SOURCE = /^source:[ \t]*(.*)$/;
const LIST_TITLE = /^Sources:[ \t]*$/;
const LIST_ENTRY = /^\[(\d{1,6})\][ \t]+(\S.*)$/;

/** Writes passages, numbered from 1. "" for no passages. */
export function formatPassages(passages: readonly Passage[]): string {
  return passages
    .map(({ title, source, text }, index) => {
      // An indented `source:` line in the text is not taken for a header when parsed.
      const body = text
        .trim()
        .replace(/\r\n?/g, "\n")
        .replace(/^(?=source:)/gm, " ");
      return `[${index + 1}] ${oneLine(title)}\nsource: ${oneLine(source)}\n${body}`.trimEnd();
    })
    .join("\n\n");
}

/** Reads the passages of `text` in order. Ignores text before them, and a closing `Sources:` list. */
export function parsePassages(text: string): NumberedPassage[] {
  return split(text).passages;
}

/** The text before the first passage, trimmed; the whole text without passages. */
export function textBeforePassages(text: string): string {
  return split(text).before;
}

/** The entries of the closing `Sources:` list: number → path or URL. Empty without a list. */
export function parseSources(text: string): Map<number, string> {
  const sources = new Map<number, string>();
  for (const line of cutSources(text).list) {
    const [, number, source] = LIST_ENTRY.exec(line) ?? [];
    if (number !== undefined && source !== undefined) sources.set(Number(number), source.trim());
  }
  return sources;
}

/** `text` without its closing `Sources:` list. */
export function withoutSources(text: string): string {
  return cutSources(text).body;
}

/** The closing list; `sources[0]` is [1]. "" for no sources. */
export function formatSources(sources: readonly string[]): string {
  if (sources.length === 0) return "";
  return ["Sources:", ...sources.map((source, index) => `[${index + 1}] ${oneLine(source)}`)].join("\n");
}

/** Each passage once (by source and text), in order of first appearance. */
export function distinctPassages<P extends Passage>(passages: readonly P[]): P[] {
  const seen = new Map(passages.toReversed().map((passage) => [`${passage.source}\n${passage.text}`, passage]));
  return passages.filter((passage) => seen.get(`${passage.source}\n${passage.text}`) === passage);
}

function split(text: string): { before: string; passages: NumberedPassage[] } {
  const lines = cutSources(text).body.split("\n");
  const starts = lines.flatMap((line, index) => (isStart(line, lines[index + 1]) ? [index] : []));
  const passages = starts.map((start, index): NumberedPassage => {
    const [, number = "0", title = ""] = HEADER.exec(lines[start] ?? "") ?? [];
    const [, source = ""] = SOURCE.exec(lines[start + 1] ?? "") ?? [];
    const body = lines.slice(start + 2, starts[index + 1] ?? lines.length).join("\n");
    return { number: Number(number), title: title.trim(), source: source.trim(), text: body.trim() };
  });
  return {
    before: lines
      .slice(0, starts[0] ?? lines.length)
      .join("\n")
      .trim(),
    passages,
  };
}

function isStart(line: string, next: string | undefined): boolean {
  return next !== undefined && SOURCE.test(next) && HEADER.test(line);
}

function cutSources(text: string): { body: string; list: string[] } {
  const lines = text.replace(/\r\n?/g, "\n").trimEnd().split("\n");
  let first = lines.length;
  while (first > 0 && LIST_ENTRY.test(lines[first - 1] ?? "")) first -= 1;
  if (first === lines.length || !LIST_TITLE.test(lines[first - 1] ?? "")) return { body: lines.join("\n"), list: [] };
  return {
    body: lines
      .slice(0, first - 1)
      .join("\n")
      .trimEnd(),
    list: lines.slice(first),
  };
}
