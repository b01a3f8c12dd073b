// Selects the passages that are about a question. In doubt leaves a passage out: a wrong citation is worse than a gap.
import type { Passage } from "./passages.ts";
import { matchUnit, readQuestion, titleTokens, type Unit } from "./question.ts";
import { readText } from "./reading.ts";

/** Share of the best score that a passage needs. */
const LEAST_SHARE = 0.6;
/** A passage about one side of a comparison need not mention the other. */
const LEAST_SHARE_COMPARED = 0.3;
/** Words within which units count as standing together. */
const NEAR = 24;

/**
 * The passages about the question, best first, without those that score far below the best. Of a question with one or
 * two terms a passage needs all; of more, six in ten, four at most. A match in the title counts twice.
 */
export function relevantPassages<P extends Passage>(question: string, passages: readonly P[]): P[] {
  const { units, kind } = readQuestion(
    question,
    passages.map(({ title }) => title),
    passages.flatMap(({ text }) => readText(text).headings),
  );
  if (units.length === 0) return [];
  const documents = passages.map(({ title, text }) => {
    const inTitle = titleTokens(title);
    const { tokens: body, set: bodySet } = readText(text).words;
    return { inTitle, titleSet: new Set(inTitle), body, bodySet };
  });
  const matches = documents.map(({ inTitle, titleSet, body, bodySet }) =>
    units.map((unit) => ({ title: matchUnit(unit, inTitle, titleSet), body: matchUnit(unit, body, bodySet) })),
  );
  const weights = units.map(
    (unit, at) => unit.weight * rarity(matches.filter((match) => both(match[at]) >= 1).length, passages.length),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const subject = units
    .map(({ focus }, at) => (focus ? at : -1))
    .filter((at) => matches.some((match) => both(match[at]) >= 1));
  const pieces = Map.groupBy(matches.entries(), ([index]) => passages[index]?.source);
  const enoughIn = new Map(
    [...pieces].map(([source, found]) => [
      source,
      enough(
        units,
        found.map(([, match]) => match),
      ),
    ]),
  );
  const scored = passages.flatMap((passage, index) => {
    const found = matches[index] ?? [];
    if (enoughIn.get(passage.source) !== true) return [];
    // A passage about one of several subjects is enough.
    if (subject.length > 0 && !subject.some((at) => both(found[at]) >= 0.6)) return [];
    const fit =
      found.reduce(
        (sum, { title, body }, at) =>
          sum + (weights[at] ?? 0) * (0.7 * body + (units[at]?.focus === true ? 0.8 : 0.5) * title),
        0,
      ) / total;
    const together = closeness(units, documents[index]?.body ?? [], kind === "comparison" ? 2 : units.length);
    const oneSide = kind === "comparison" && units.some(({ focus }, at) => focus && (found[at]?.title ?? 0) >= 1);
    return [{ passage, score: fit + 0.4 * together, share: oneSide ? LEAST_SHARE_COMPARED : LEAST_SHARE }];
  });
  const best = scored.reduce((highest, { score }) => Math.max(highest, score), 0);
  return scored
    .filter(({ score, share }) => score >= best * share)
    .toSorted((a, b) => b.score - a.score)
    .map(({ passage }) => passage);
}

/** From 0.4 (in every text) to 1 (in hardly any). */
export function rarity(containing: number, all: number): number {
  const idf = Math.log(1 + (all - containing + 0.5) / (containing + 0.5));
  return 0.4 + 0.6 * Math.min(1, idf / Math.log(1 + (all + 0.5) / 0.5));
}

interface Match {
  readonly title: number;
  readonly body: number;
}

function both(match: Match | undefined): number {
  return match === undefined ? 0 : Math.max(match.title, match.body);
}

function highest(pieces: readonly (readonly Match[])[], of: (piece: readonly Match[]) => number | undefined): number {
  return pieces.reduce((most, piece) => Math.max(most, of(piece) ?? 0), 0);
}

/**
 * Whether all pieces of a text together have enough units. Counts stems, so that a name of two words counts as two
 * words.
 */
function enough(units: readonly Unit[], pieces: readonly (readonly Match[])[]): boolean {
  const matches = units.map((_, at): Match => ({
    title: highest(pieces, (piece) => piece[at]?.title),
    body: highest(pieces, (piece) => piece[at]?.body),
  }));
  const all = units.reduce((sum, { stems, weight }) => sum + (weight < 1 ? 0.5 : 1) * stems.length, 0);
  const needed = Math.min(4, Math.max(all <= 1 ? 1 : 2, Math.ceil(all * 0.6)));
  const found = units.reduce(
    (sum, { stems, weight }, at) =>
      sum + (weight < 1 ? 0.5 : 1) * stems.length * (both(matches[at]) >= 0.6 ? 1 : both(matches[at])),
    0,
  );
  const inTitle = matches.some(({ title }) => title >= 1);
  return found > 0 && found + (inTitle ? 1 : 0) >= Math.min(needed, all);
}

/** The share of the units that stand close together somewhere in the text. */
function closeness(units: readonly Unit[], body: readonly string[], most: number): number {
  const unitOf = new Map(units.flatMap(({ stems }, at) => stems.map((stem) => [stem, at] as const)));
  const recent: { at: number; place: number }[] = [];
  let best = 0;
  body.forEach((token, place) => {
    const at = unitOf.get(token);
    if (at === undefined) return;
    recent.push({ at, place });
    while ((recent[0]?.place ?? place) < place - NEAR) recent.shift();
    best = Math.max(best, new Set(recent.map((one) => one.at)).size);
  });
  return Math.min(1, best / Math.max(1, most));
}
