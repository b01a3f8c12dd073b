// The text around the words of a question, for text without quotable sentences: endless lines, tables, code, data. One
// pass.
import { tokenize } from "./tokens.ts";
import { placesOf } from "./words.ts";

/** Characters of one quote, without ellipses. */
const MOST_CHARS = 300;
/** Characters that a cut may move to stand between words. */
const MOST_MOVED = 40;
const MOST_PIECES = 2;
/** A longer run of letters, as in languages without spaces, is matched in parts. */
const PART_CHARS = 24;

interface Window {
  readonly start: number;
  end: number;
  readonly found: Set<string>;
}

/**
 * At most two pieces of `text` with most of the wanted tokens, in order, with "…" at cuts. Without any of them, the
 * beginning.
 */
export function neighbourhoods(text: string, wanted: ReadonlySet<string>): string[] {
  if (text.length <= MOST_CHARS) return [text];
  const windows = windowsOf(text, wanted);
  const best = windows.toSorted((a, b) => b.found.size - a.found.size).slice(0, MOST_PIECES);
  const most = best[0]?.found.size ?? 0;
  const chosen = best.filter(({ found }) => found.size === most).toSorted((a, b) => a.start - b.start);
  return (chosen.length > 0 ? chosen : [{ start: 0, end: 0 }]).map((window) => cutOut(text, window));
}

/** Groups of found words that fit into one quote, from left to right. */
function windowsOf(text: string, wanted: ReadonlySet<string>): Window[] {
  const windows: Window[] = [];
  for (const { word, start } of placesOf(text)) {
    for (let from = 0; from < word.length; from += PART_CHARS) {
      const part = word.slice(from, from + PART_CHARS);
      const found = tokenize(part).filter((token) => wanted.has(token));
      if (found.length === 0) continue;
      const place = { start: start + from, end: start + from + part.length };
      const open = windows.at(-1);
      if (open !== undefined && place.end - open.start <= MOST_CHARS) {
        open.end = place.end;
        for (const token of found) open.found.add(token);
      } else windows.push({ ...place, found: new Set(found) });
    }
  }
  return windows;
}

function cutOut(text: string, { start, end }: Pick<Window, "start" | "end">): string {
  const around = Math.max(0, MOST_CHARS - (end - start));
  const first = Math.max(0, Math.min(start - Math.floor(around / 2), text.length - MOST_CHARS));
  const last = Math.min(text.length, first + Math.max(MOST_CHARS, end - first));
  const from = first === 0 ? 0 : wordAfter(text, first, start);
  const to = last === text.length ? last : wordBefore(text, last, Math.max(end, from));
  const piece = text.slice(from, to).toWellFormed().replaceAll("\ufffd", "").trim();
  return `${from > 0 ? "… " : ""}${piece}${to < text.length ? " …" : ""}`;
}

function wordAfter(text: string, at: number, most: number): number {
  const space = text.indexOf(" ", at - 1);
  return space >= 0 && space < Math.min(most, at + MOST_MOVED) ? space + 1 : at;
}

function wordBefore(text: string, at: number, least: number): number {
  const space = text.lastIndexOf(" ", at);
  return space >= Math.max(least, at - MOST_MOVED) ? space : at;
}
