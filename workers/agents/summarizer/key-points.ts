// Selects the sentences that carry a text, by word statistics. Quotes word for word, so nothing is made up. Pure.
import { bestSentences } from "#shared/retrieval/cite.ts";
import { parsePassages, type NumberedPassage } from "#shared/retrieval/passages.ts";
import { relevantPassages } from "#shared/retrieval/relevance.ts";

export interface KeyPoint {
  /** One sentence of the text. */
  readonly text: string;
  /** The number of its passage; null when the text has no passages. */
  readonly number: number | null;
}

/**
 * At most `limit` sentences, in the order of the text. With a focus, those that say most about it; the most central
 * ones if the text is not about the focus.
 */
export function extractKeyPoints(text: string, limit: number, focus = ""): KeyPoint[] {
  const passages = parsePassages(text);
  if (passages.length === 0) {
    return bestSentences(focus, [{ title: "", source: "", text }], limit).map((quote) => ({
      text: quote.text,
      number: null,
    }));
  }
  const fitting = relevantPassages(focus, passages);
  const chosen: readonly NumberedPassage[] = fitting.length > 0 ? fitting : passages;
  return bestSentences(focus, chosen, limit).map((quote) => ({ text: quote.text, number: quote.passage.number }));
}

/** One line for each point: `- sentence [n]`. */
export function writeKeyPoints(points: readonly KeyPoint[]): string {
  return points.map(({ text, number }) => `- ${text}${number === null ? "" : ` [${number}]`}`).join("\n");
}
