// Which passages are about a question at all. Errs on the side of "no": a wrong citation is worse than an honest gap.
import type { Passage } from "./passages.ts";
import { matchUnit, readQuestion, titleTokens } from "./question.ts";
import type { Unit } from "./question.ts";
import { headingsOf } from "./sentences.ts";
import { tokenize } from "./tokens.ts";

/** A passage that fits less than this, compared with the best one, is left out. */
const LEAST_SHARE = 0.6;
/** One that is about a side of a comparison needs no word about the other. */
const LEAST_SHARE_COMPARED = 0.3;
/** Words within which terms count as standing together. */
const NEAR = 24;

/**
 * The passages that are about the question, best first; those that fit far less than the best are left out. A question
 * of one term needs it, of two both; of more, six in ten, four at most. A title counts as text, and once more.
 */
export function relevantPassages<P extends Passage>(question: string, passages: readonly P[]): P[] {
  const { units, kind } = readQuestion(
    question,
    passages.map(({ title }) => title),
    passages.flatMap(({ text }) => headingsOf(text)),
  );
  if (units.length === 0) return [];
  const documents = passages.map(({ title, text }) => {
    const inTitle = titleTokens(title);
    const body = tokenize(text);
    return { inTitle, titleSet: new Set(inTitle), body, bodySet: new Set(body) };
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
    // Whoever asks about several things is served by a passage about one of them.
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

/** Looks at all pieces of a text. Stems count one by one, so that a name of two words is as good as two words. */
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

/** The share of the units that stand together somewhere in the text. */
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
