// Turns a question into an FTS5 MATCH expression of quoted tokens, so that no input can be query syntax. Index and
// query share one tokenizer (shared/retrieval/tokens.ts). https://sqlite.org/fts5.html#full_text_query_syntax
import { keyWords, tokenize } from "#shared/retrieval/tokens.ts";
import { fold, wordsOf } from "#shared/retrieval/words.ts";

/** More words make a query slower, not better. */
const MOST_WORDS = 32;
const LONGEST_QUESTION = 4_000;

/**
 * Matches any of the words. Words of several tokens, and pairs of neighbours, count again where they stand together.
 * Undefined without words.
 */
export function matchOf(question: string): string | undefined {
  const words = wordsIn(question.slice(0, LONGEST_QUESTION)).map(queryTokens);
  const tokens = new Set(words.flat());
  const names = words.flatMap((word, index) => [
    ...(word.length > 1 ? [word] : []),
    ...(index > 0 ? [[...(words[index - 1] ?? []), ...word]] : []),
  ]);
  const terms = [...tokens, ...new Set(names.map((name) => name.join(" ")))];
  return terms.length > 0 ? terms.map((term) => `"${term}"`).join(" OR ") : undefined;
}

/** The key words, or all words if there are none. */
function wordsIn(question: string): string[] {
  const words = keyWords(question);
  return (words.length > 0 ? words : wordsOf(question)).slice(0, MOST_WORDS);
}

function queryTokens(word: string): string[] {
  const tokens = tokenize(word);
  return tokens.length > 0 ? tokens : [fold(word)];
}
