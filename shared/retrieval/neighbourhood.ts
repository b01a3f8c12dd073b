// What stands around the words that were asked for, where a text has no sentences short enough to quote: endless lines,
// tables, code, lists of data. One pass, however long the text.
import { tokenize } from "./tokens.ts";
import { placesOf } from "./words.ts";

/** Characters of one quotation, its ellipses not counted. */
const MOST_CHARS = 300;
/** So far a cut is moved to stand between two words. */
const MOST_MOVED = 40;
const MOST_PIECES = 2;
/** A longer run of letters, as in languages without spaces, is looked at in parts. */
const PART_CHARS = 24;

interface Window {
  readonly start: number;
  end: number;
  readonly found: Set<string>;
}

/**
 * At most two pieces of `text` with most of these tokens, in its order, "…" where they were cut; its beginning when it
 * has none.
 */
export function neighbourhoods(text: string, wanted: ReadonlySet<string>): string[] {
  if (text.length <= MOST_CHARS) return [text];
  const windows = windowsOf(text, wanted);
  const best = windows.toSorted((a, b) => b.found.size - a.found.size).slice(0, MOST_PIECES);
  const most = best[0]?.found.size ?? 0;
  const chosen = best.filter(({ found }) => found.size === most).toSorted((a, b) => a.start - b.start);
  return (chosen.length > 0 ? chosen : [{ start: 0, end: 0 }]).map((window) => cutOut(text, window));
}

/** Groups of the words that fit into one quotation, from the left. */
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
