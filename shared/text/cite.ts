// Answers by quoting: the sentences of given passages that say most about a question, each with [n], then `Sources:`.
import { bm25 } from "./bm25.ts";
import { centrality } from "./centrality.ts";
import { pickDiverse } from "./mmr.ts";
import { formatSources } from "./passages.ts";
import type { Passage } from "./passages.ts";
import { splitSentences } from "./sentences.ts";
import { questionTerms, tokenize } from "./tokens.ts";

export interface Quote<P extends Passage = Passage> {
  /** One sentence of the passage, Markdown marks removed. */
  readonly text: string;
  readonly passage: P;
}

const SHORTEST = 20;
const LONGEST = 420;
/** Different question words that a sentence of any passage but the best one must have. */
const LEAST_TERMS = 2;
/** Sentences beyond these are not looked at; at about 100 characters each this is 200 KB of text. */
const MOST_SENTENCES = 2_000;

/**
 * At most `limit` sentences, in the order of their passages (give the best passage first) and of the text.
 * Without a question term in the text, or with an empty question, the most central sentences are taken.
 */
export function bestSentences<P extends Passage>(question: string, passages: readonly P[], limit = 5): Quote<P>[] {
  const sentences = passages
    .flatMap((passage, rank) =>
      splitSentences(passage.text).map((text, place) => ({ text, passage, rank, place })),
    )
    .filter(({ text }) => text.length >= SHORTEST && text.length <= LONGEST && !text.endsWith("?") && !text.endsWith(":"))
    .slice(0, MOST_SENTENCES)
    .map((sentence) => ({ ...sentence, tokens: tokenize(sentence.text) }));
  const terms = questionTerms(question);
  const documents = sentences.map(({ tokens }) => tokens);
  const matches = scale(bm25(terms, documents));
  const anyMatch = matches.some((match) => match > 0);
  const central = centrality(documents);
  const candidates = sentences.map(({ tokens, rank, place, text }, index) => ({
    tokens: new Set(tokens),
    relevance:
      (matches[index] ?? 0) +
      0.3 * (central[index] ?? 0) +
      0.4 / (1 + rank) +
      (place === 0 ? 0.2 : 0) +
      (defines(text, tokens, terms) ? 0.35 : 0),
  }));
  // Passages after the best one may add to the subject, not change it.
  const needed = anyMatch ? Math.min(LEAST_TERMS, terms.length) : 0;
  const fitting = [...candidates.keys()].filter((index) => {
    const tokens = candidates[index]?.tokens;
    return sentences[index]?.rank === 0 || terms.filter((term) => tokens?.has(term)).length >= needed;
  });
  const picked = pickDiverse(fitting.flatMap((index) => candidates[index] ?? []), limit);
  return picked
    .flatMap((place) => fitting[place] ?? [])
    .toSorted((a, b) => a - b)
    .flatMap((index) => {
      const sentence = sentences[index];
      return sentence === undefined ? [] : [{ text: sentence.text, passage: sentence.passage }];
    });
}

/** Numbers sources in order of first appearance; two passages of one source share a number. */
export function numberSources(quotes: readonly Quote[]): { lines: string[]; sources: string[] } {
  const sources = [...new Set(quotes.map(({ passage }) => passage.source))];
  const lines = quotes.map(({ text, passage }) => `${text} [${sources.indexOf(passage.source) + 1}]`);
  return { lines, sources };
}

/** The quotes as one cited paragraph, `remarks` as lines of their own, and the closing list. */
export function writeAnswer(quotes: readonly Quote[], remarks: readonly string[] = []): string {
  const { lines, sources } = numberSources(quotes);
  return [lines.join(" "), ...remarks, formatSources(sources)].filter((part) => part !== "").join("\n\n");
}

/** "A Durable Object is …": begins with a term of the question and says what it is. */
function defines(text: string, tokens: readonly string[], terms: readonly string[]): boolean {
  return terms.includes(tokens[0] ?? "") && /^(?:\S+\s+){1,6}?(?:is|are|was|means|stands for)\s/i.test(text);
}

function scale(values: readonly number[]): number[] {
  const highest = values.reduce((a, b) => Math.max(a, b), 0);
  return highest === 0 ? [...values] : values.map((value) => value / highest);
}
