// Makes the hidden characters of foreign words visible.

/** What terminals obey, what turns the direction of writing, what cannot be seen. JSON would let most of it pass. */
const UNSEEN = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Foreign words on one line, safe to show. */
export function inOneLine(text: string): string {
  return escaped(text.toWellFormed().replace(/\s+/g, " ").trim());
}

/** Foreign words with their line breaks, safe to show. */
export function escaped(text: string): string {
  return text.replace(UNSEEN, code);
}

function code(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
