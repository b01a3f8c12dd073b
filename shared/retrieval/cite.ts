// Answers by quoting: selects the sentences of passages that say most about a question, and numbers their sources as
// [n].
import { oneLine } from "../text/spaces.ts";
import { compose } from "./compose.ts";
import { neighbourhoods } from "./neighbourhood.ts";
import { formatSources, type Passage } from "./passages.ts";
import { scoreSentences, sentencesOf } from "./sentence-scores.ts";
import { headingOf } from "./sentences.ts";
import { questionTerms } from "./tokens.ts";

/** Quotes from passages without sentences. */
const MOST_OF_THEM = 2;

export interface Quote<P extends Passage = Passage> {
  /** One sentence of the passage, Markdown marks removed. */
  readonly text: string;
  readonly passage: P;
}

/**
 * At most `limit` sentences: the source of the best sentence first, within a source in the order of its text. Leaves
 * out sentences that score far below the best. For an empty question, the most central sentences.
 */
export function bestSentences<P extends Passage>(question: string, passages: readonly P[], limit = 5): Quote<P>[] {
  const { scored, asked } = scoreSentences(question, sentencesOf(question, passages));
  const chosen = compose(scored, asked, limit).map(({ text, passage }) => ({ text, passage }));
  return chosen.length > 0 ? chosen : withoutSentences(question, passages, limit);
}

/** For passages without sentences (tables, code, data): the text around the question's words. */
function withoutSentences<P extends Passage>(question: string, passages: readonly P[], limit: number): Quote<P>[] {
  const wanted = new Set(questionTerms(question));
  return passages.slice(0, Math.min(limit, MOST_OF_THEM)).flatMap((passage) => {
    const lines = passage.text.split("\n").filter((line) => headingOf(line) === undefined);
    const text = oneLine(lines.join(" "));
    return text === ""
      ? []
      : neighbourhoods(text, wanted)
          .slice(0, 1)
          .map((piece) => ({ text: piece, passage }));
  });
}

/** Numbers sources in order of first appearance. Passages of one source share a number. */
export function numberSources(quotes: readonly Quote[]): { lines: string[]; sources: string[] } {
  const sources = [...new Set(quotes.map(({ passage }) => passage.source))];
  const lines = quotes.map(({ text, passage }) => `${text} [${sources.indexOf(passage.source) + 1}]`);
  return { lines, sources };
}

/** The quotes as one cited paragraph, then `remarks`, then the list of sources. */
export function writeAnswer(quotes: readonly Quote[], remarks: readonly string[] = []): string {
  const { lines, sources } = numberSources(quotes);
  return [lines.join(" "), ...remarks, formatSources(sources)].filter((part) => part !== "").join("\n\n");
}
