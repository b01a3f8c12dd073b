// Makes the hidden characters of foreign words visible.
import { oneLine } from "./spaces.ts";

/** What terminals obey, what turns the direction of writing, what cannot be seen. JSON would let most of it pass. */
const UNSEEN = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Foreign words on one line, safe to show. */
export function inOneLine(text: string): string {
  return escaped(oneLine(text));
}

/** Foreign words with their line breaks, safe to show. Drops nothing: a hidden character is written as its code. */
export function escaped(text: string): string {
  return text.toWellFormed().replace(UNSEEN, code);
}

/**
 * The input of a tool for the person who approves it: indented JSON, at most `most` characters of it, safe to show. Where it is cut, a
 * last line says so, and with `elsewhere` where all of it stands.
 */
export function inputView(input: unknown, most: number, elsewhere: string): string {
  const json = escaped(JSON.stringify(input, null, 2));
  const indented = json.slice(0, most).toWellFormed().replace(/^/gm, "    ");
  if (json.length <= most) return indented;
  return `${indented}\n    [cut: ${json.length - most} of ${json.length} characters are not shown; ${elsewhere}]`;
}

function code(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
