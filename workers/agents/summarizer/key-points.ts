// The sentences that carry a text, by word statistics alone. Pure; quotes word for word, so nothing can be made up.
import { bestSentences } from "#shared/retrieval/cite.ts";
import { parsePassages } from "#shared/retrieval/passages.ts";
import type { NumberedPassage } from "#shared/retrieval/passages.ts";
import { relevantPassages } from "#shared/retrieval/relevance.ts";

export interface KeyPoint {
  /** One sentence of the text. */
  readonly text: string;
  /** The number of its passage; null when the text has no passages. */
  readonly number: number | null;
}

/**
 * At most `limit` sentences, in the text's order. With a focus, those that say most about it come first in the choice;
 * if the text is not about the focus at all, the most central ones are taken.
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

/** One line a point: `- sentence [n]`. */
export function writeKeyPoints(points: readonly KeyPoint[]): string {
  return points.map(({ text, number }) => `- ${text}${number === null ? "" : ` [${number}]`}`).join("\n");
}
