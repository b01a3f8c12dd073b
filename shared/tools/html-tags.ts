// Splits HTML into tags, comments and text, in linear time. Counts attributes without reading them.
import { SLICE_CHARS } from "../text/slices.ts";
import { decodeEntities } from "./html-entities.ts";

export interface TagReader {
  /** `name` is in capitals. */
  open(name: string, attributes: number): void;
  close(name: string): void;
  comment(): void;
  /** Entities are decoded, except in scripts and styles. One run of text may come in several pieces. */
  text(text: string): void;
}

/** Elements whose content is text up to their end tag; those of the second set have entities. */
const RAW = new Set("SCRIPT STYLE XMP IFRAME NOEMBED NOFRAMES".split(" "));
const RAW_WITH_ENTITIES = new Set(["TITLE", "TEXTAREA"]);
/** Characters; longer names are no elements. */
const LONGEST_NAME = 32;
const NAME_END = /[\s/>]/g;
const LETTER = /[A-Za-z]/;

/** Yields after each slice of the page. */
export function* readTags(html: string, reader: TagReader): Generator<undefined, void> {
  let at = 0;
  let pauseAt = SLICE_CHARS;
  while (at < html.length) {
    const begin = nextMarkup(html, at);
    if (begin > at) reader.text(decodeEntities(html.slice(at, begin)));
    if (begin === html.length) return;
    at = readMarkup(html, begin, reader);
    if (at < pauseAt) continue;
    pauseAt = at + SLICE_CHARS;
    yield;
  }
}

/** Index of the next tag or comment. "<" before anything else is text. */
function nextMarkup(html: string, from: number): number {
  for (let at = html.indexOf("<", from); at >= 0; at = html.indexOf("<", at + 1)) {
    const next = html.charAt(at + 1);
    if (next === "!" || next === "?" || LETTER.test(next)) return at;
    if (next === "/" && at + 2 < html.length) return at;
  }
  return html.length;
}

/** Reads the tag or comment at `begin`. Returns its end. */
function readMarkup(html: string, begin: number, reader: TagReader): number {
  const next = html.charAt(begin + 1);
  if (next === "!" || next === "?") {
    reader.comment();
    return html.startsWith("<!--", begin) ? after(html, "-->", begin + 4) : after(html, ">", begin + 2);
  }
  if (next === "/") {
    const end = after(html, ">", begin + 2);
    if (LETTER.test(html.charAt(begin + 2))) reader.close(nameAt(html, begin + 2));
    else reader.comment();
    return end;
  }
  const name = nameAt(html, begin + 1);
  const { end, attributes } = readAttributes(html, begin + 1 + name.length);
  reader.open(name, attributes);
  if (!RAW.has(name) && !RAW_WITH_ENTITIES.has(name)) return end;
  const close = endOfRaw(html, name, end);
  const content = html.slice(end, close);
  if (content !== "") reader.text(RAW.has(name) ? content : decodeEntities(content));
  return close;
}

/** The end of the tag: the first ">" outside quotation marks. Counts attributes. */
function readAttributes(html: string, from: number): { end: number; attributes: number } {
  let attributes = 0;
  let quote = "";
  let before = " ";
  for (let at = from; at < html.length; at += 1) {
    const character = html.charAt(at);
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === ">") return { end: at + 1, attributes };
    else if ((character === '"' || character === "'") && before === "=") quote = character;
    else if (isSpace(before) && !isSpace(character)) attributes += 1;
    // Spaces may stand between "=" and the value.
    if (!(before === "=" && isSpace(character))) before = character;
  }
  return { end: html.length, attributes };
}

function isSpace(character: string): boolean {
  return character === " " || character === "\n" || character === "\t" || character === "\r" || character === "\f";
}

function endOfRaw(html: string, name: string, from: number): number {
  const end = new RegExp(`</${name}(?=[\\s/>])`, "gi");
  end.lastIndex = from;
  return end.exec(html)?.index ?? html.length;
}

function nameAt(html: string, start: number): string {
  NAME_END.lastIndex = start;
  const end = NAME_END.exec(html)?.index ?? html.length;
  return html.slice(start, Math.min(end, start + LONGEST_NAME)).toUpperCase();
}

function after(html: string, mark: string, from: number): number {
  const found = html.indexOf(mark, from);
  return found < 0 ? html.length : found + mark.length;
}
