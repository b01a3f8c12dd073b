// Decodes HTML entities. linkedom has the table of all names; each name is looked up once.
import { parseHTML } from "linkedom/worker";

/** Entities that most pages use. */
const COMMON: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};
const ENTITY = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([A-Za-z][A-Za-z\d]{1,30}));/g;
/** Names in the cache; HTML has some two thousand. */
const MOST_NAMES = 4_000;
const names = new Map<string, string>(Object.entries(COMMON));
/** Numbers 0x80 to 0x9f mean Windows-1252. */
const windows1252 = new TextDecoder("windows-1252");

/** Leaves unknown entities unchanged. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(ENTITY, (written, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return named(name, written);
    return numbered(decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal));
  });
}

function numbered(code: number): string {
  if (code >= 0x80 && code <= 0x9f) return windows1252.decode(Uint8Array.of(code));
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : "\ufffd";
}

function named(name: string, written: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  // Further names are made up.
  if (names.size >= MOST_NAMES) return written;
  const found = parseHTML(`<html><body>${written}</body></html>`).document.body.textContent ?? written;
  // A copy: a slice would keep the whole page in memory.
  names.set([...name].join(""), found);
  return found;
}
