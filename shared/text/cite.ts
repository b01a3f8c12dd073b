// Answers by quoting: the sentences of given passages that say most about a question, each with [n], then `Sources:`.
import { compose } from "./compose.ts";
import { formatSources } from "./passages.ts";
import type { Passage } from "./passages.ts";
import { scoreSentences, sentencesOf } from "./sentence-scores.ts";

export interface Quote<P extends Passage = Passage> {
  /** One sentence of the passage, Markdown marks removed. */
  readonly text: string;
  readonly passage: P;
}

/**
 * At most `limit` sentences: the source with the best one first, within a source in the text's order. Sentences that answer
 * far less than the best are left out. With an empty question the most central sentences are taken.
 */
export function bestSentences<P extends Passage>(question: string, passages: readonly P[], limit = 5): Quote<P>[] {
  const { scored, asked } = scoreSentences(question, sentencesOf(passages));
  return compose(scored, asked, limit).map(({ text, passage }) => ({ text, passage }));
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
