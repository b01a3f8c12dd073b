// Selects the sentences that carry a text, by word statistics. Quotes word for word, so nothing is made up. Pure.
import { bestSentences, type Quote } from "#shared/retrieval/cite.ts";
import { parsePassages, type Passage } from "#shared/retrieval/passages.ts";
import { relevantPassages } from "#shared/retrieval/relevance.ts";
import { proseSlices } from "#shared/retrieval/sentences.ts";
import { SLICE_CHARS } from "#shared/text/slices.ts";

export interface KeyPoint {
  /** One sentence of the text. */
  readonly text: string;
  /** The number of its passage; null when the text has no passages. */
  readonly number: number | null;
}

type Part = Passage & Pick<KeyPoint, "number">;

/**
 * At most `limit` sentences, in the order of the text. With a focus, those that say most about it; the most central
 * ones if the text is not about the focus. Of a text longer than a slice, those are chosen among the best of each slice.
 * Yields after each slice.
 */
export function* extractKeyPoints(text: string, limit: number, focus = ""): Generator<undefined, KeyPoint[]> {
  const passages = parsePassages(text);
  yield;
  const all: readonly Part[] = passages.length > 0 ? passages : [{ number: null, title: "", source: "", text }];
  let groups = groupsOf(all);
  if (passages.length > 0) {
    const fitting: Part[] = [];
    for (const group of groups) {
      fitting.push(...relevantPassages(focus, group));
      yield;
    }
    if (fitting.length > 0) groups = groupsOf(fitting);
  }
  while (groups.length > 1) {
    const best: Part[] = [];
    for (const group of groups) {
      best.push(...onlyQuotes(bestSentences(focus, group, limit)));
      yield;
    }
    groups = groupsOf(best);
  }
  return bestSentences(focus, groups.flat(), limit).map((quote) => ({
    text: quote.text,
    number: quote.passage.number,
  }));
}

/** Passages that can be read in one go. Longer ones come in pieces. */
function groupsOf(passages: readonly Part[]): Part[][] {
  const groups: Part[][] = [];
  let chars = Number.POSITIVE_INFINITY;
  for (const part of passages.flatMap((one) => proseSlices(one.text).map((text) => ({ ...one, text })))) {
    if (chars + part.text.length > SLICE_CHARS) {
      groups.push([]);
      chars = 0;
    }
    groups.at(-1)?.push(part);
    chars += part.text.length;
  }
  return groups;
}

/** The quoted passages with nothing but their quotes. */
function onlyQuotes(quotes: readonly Quote<Part>[]): Part[] {
  const byPassage = Map.groupBy(quotes, ({ passage }) => passage);
  return [...byPassage].map(([passage, own]) => ({ ...passage, text: own.map(({ text }) => text).join("\n\n") }));
}

/** One line for each point: `- sentence [n]`. */
export function writeKeyPoints(points: readonly KeyPoint[]): string {
  return points.map(({ text, number }) => `- ${text}${number === null ? "" : ` [${number}]`}`).join("\n");
}
