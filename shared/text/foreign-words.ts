// Words of others for a model: data that may hide commands in characters that nobody sees.

/** Controls but line breaks and tabs, marks that turn the direction of writing, and tag characters, which spell unseen text. */
const HIDDEN = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069\u{E0000}-\u{E007F}]/gu;

/** The words without hidden characters, at most `most` characters of them. */
export function foreignWords(text: string, most: number): string {
  return text.slice(0, most).toWellFormed().replace(HIDDEN, "");
}
