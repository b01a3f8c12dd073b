// Turns typed text into an FTS5 MATCH expression of quoted words, so that no input can be query syntax.
// https://sqlite.org/fts5.html#full_text_query_syntax

/** More words make a query slower, not better. */
const MAX_TERMS = 32;
const MAX_TERM_CHARS = 64;

const STOP_WORDS = new Set(
  (
    "a about am an and any are as at be been but by can could did do does for from had has have how i if in into is it its " +
    "me my no not of on or our please she should so some tell than that the their them then there these they this to us " +
    "was we were what when where which who whom whose why will with would you your"
  ).split(" "),
);

/** The distinct words of `text` without stop words, or all words if there are only stop words. Lower case, in order. */
export function searchTerms(text: string): string[] {
  // Cut first: normalizing takes time that grows with the square of a word's marks.
  const words = (text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).map((word) => word.slice(0, MAX_TERM_CHARS));
  const distinct = [...new Set(words.map((word) => word.normalize("NFC").toLowerCase()))];
  const meaningful = distinct.filter((word) => !STOP_WORDS.has(word));
  return (meaningful.length > 0 ? meaningful : distinct).slice(0, MAX_TERMS);
}

/**
 * A MATCH expression for rows with any of the words, or with longer words that begin with them. Undefined when `text`
 * has no word.
 */
export function matchAny(text: string): string | undefined {
  const terms = searchTerms(text).map((term) => `"${term}"*`);
  return terms.length > 0 ? terms.join(" OR ") : undefined;
}
