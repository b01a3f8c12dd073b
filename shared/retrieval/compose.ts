// Chooses sentences that read well together: the best first, each with the sentences that it refers to, without
// repetition.
import { pickDiverse } from "./ranking.ts";
import type { Passage } from "./passages.ts";
import { matchUnit, titleTokens, type AskedFor, type Unit } from "./question.ts";
import { LONGEST_QUOTE, type Scored } from "./sentence-scores.ts";

const SHORTEST = 20;
/** Share of the best score that a sentence needs; higher for other sources. */
const LEAST_SHARE = 0.62;
const LEAST_SHARE_ELSEWHERE = 0.75;
/** For a comparison, so that each side is quoted. */
const LEAST_SHARE_COMPARED = 0.3;
/** For an overview, so that every part is quoted. */
const LEAST_SHARE_OVERVIEW = 0.4;
/** For sentences before the best one in its source, so that the direct answer comes first. */
const LEAST_SHARE_BEFORE = 0.8;
/** With fewer sentences, the ones after the best are added. */
const FEWEST = 3;
/** Preceding sentences that are added to explain one. */
const MOST_BEFORE = 2;
/** Begins with a word that refers to an earlier sentence. */
const REFERS_BACK =
  /^(?:it|its|they|them|their|this|these|those|that|he|she|his|her|such|then|therefore|thus|hence|however|instead|otherwise|others?|both of (?:them|these)|the (?:former|latter|same|other|others|second|third|result)|in (?:this|that|these|those|both)|from then|for (?:this|that|these)|as a result|but|and|so|yet|also)\b|\b(?:therefore|thus)\b/i;
/** Such a word a little later; at the beginning of a paragraph the title explains it. */
const REFERS_BACK_INSIDE = /^(?:\S+ ){1,3}(?:it|they|them)\b/i;

/**
 * At most `limit` sentences, grouped by source, the source of the best one first, within a source in the order of its
 * text.
 */
export function compose<P extends Passage>(scored: readonly Scored<P>[], asked: AskedFor, limit: number): Scored<P>[] {
  const quotable = scored.filter(
    ({ text }) => text.length >= SHORTEST && text.length <= LONGEST_QUOTE && !/[?:]$/.test(text),
  );
  const best = quotable.reduce<Scored<P> | undefined>(
    (top, one) => (top === undefined || one.score > top.score ? one : top),
    undefined,
  );
  if (best === undefined) return [];
  const fitting = quotable.filter((one) => one.score >= best.score * leastShare(one, best, asked));
  const chosen = new Set<Scored<P>>();
  for (const one of order(fitting, asked, limit)) {
    if (chosen.size >= limit) break;
    const needed = [...before(one, scored), one].filter((sentence) => !chosen.has(sentence));
    if (refersToNothing(needed[0] ?? one, chosen, scored) || chosen.size + needed.length > limit) continue;
    for (const sentence of needed) chosen.add(sentence);
  }
  if (chosen.size === 0) chosen.add(best);
  for (const next of following(best, scored, quotable)) if (chosen.size < Math.min(FEWEST, limit)) chosen.add(next);
  return bySource([...chosen]);
}

function leastShare<P extends Passage>(one: Scored<P>, best: Scored<P>, { kind, units }: AskedFor): number {
  if (units.length === 0) return 0;
  if (kind === "comparison") return LEAST_SHARE_COMPARED;
  if (!saysMoreThanSubject(one, best)) return Infinity;
  if (one.passage.source !== best.passage.source) return LEAST_SHARE_ELSEWHERE;
  if (isBefore(one, best)) return LEAST_SHARE_BEFORE;
  return kind === "overview" ? LEAST_SHARE_OVERVIEW : LEAST_SHARE;
}

/** False for a sentence that only names the subject while the best says something about it. */
function saysMoreThanSubject<P extends Passage>(one: Scored<P>, best: Scored<P>): boolean {
  const more = (sentence: Scored<P>) => [...sentence.has].some(({ focus }) => !focus);
  return more(one) || !more(best);
}

/** Whether one stands before the other in the same text, as far as known. */
function isBefore<P extends Passage>(one: Scored<P>, other: Scored<P>): boolean {
  return one.rank === other.rank ? one.place < other.place : beginsText(one.passage) && !beginsText(other.passage);
}

/** The first piece of a text has its heading. */
function beginsText({ text }: Passage): boolean {
  return text.startsWith("# ");
}

/** Best first, without near copies; for a comparison, each side in turn. */
function order<P extends Passage>(
  fitting: readonly Scored<P>[],
  { kind, units }: AskedFor,
  limit: number,
): Scored<P>[] {
  const diverse = (of: readonly Scored<P>[]) =>
    pickDiverse(
      of.map(({ set, score }) => ({ tokens: set, relevance: score })),
      limit * 2,
    ).flatMap((index) => of[index] ?? []);
  const sides = kind === "comparison" ? units.filter(({ focus }) => focus) : [];
  if (sides.length < 2) return diverse(fitting);
  const [first] = diverse(fitting);
  const queues = sides.map((side) => {
    const about = fitting.filter((one) => isAbout(side, one));
    const naming = about.filter(({ has }) => has.has(side));
    const [top, ...others] = diverse(naming.length > 0 ? naming : about);
    return top === undefined ? [] : [top, ...others.filter(({ passage }) => passage.source === top.passage.source)];
  });
  const turns = Array.from({ length: limit }, (_, turn) => queues.flatMap((queue) => queue[turn] ?? [])).flat();
  return [...new Set([...(first === undefined ? [] : [first]), ...turns])];
}

function isAbout<P extends Passage>(side: Unit, { passage }: Scored<P>): boolean {
  const title = titleTokens(passage.title);
  return matchUnit(side, title, new Set(title)) >= 1;
}

/** The sentences before `one` that are needed to understand it, in order. */
function before<P extends Passage>(one: Scored<P>, all: readonly Scored<P>[]): Scored<P>[] {
  const needed: Scored<P>[] = [];
  let at = all.indexOf(one);
  while (needed.length < MOST_BEFORE && refersBack(all[at], all[at - 1])) {
    const previous = all[at - 1];
    if (previous === undefined || !sameSection(previous, one)) break;
    needed.unshift(previous);
    at -= 1;
  }
  return needed;
}

function sameSection(one: Scored, other: Scored): boolean {
  return one.passage === other.passage && one.heading === other.heading;
}

function refersBack(one: Scored | undefined, previous: Scored | undefined): boolean {
  if (one === undefined) return false;
  return REFERS_BACK.test(one.text) || (previous?.paragraph === one.paragraph && REFERS_BACK_INSIDE.test(one.text));
}

function refersToNothing<P extends Passage>(
  one: Scored<P>,
  chosen: ReadonlySet<Scored<P>>,
  all: readonly Scored<P>[],
): boolean {
  const previous = all[all.indexOf(one) - 1];
  if (!refersBack(one, previous)) return false;
  return previous === undefined || !sameSection(previous, one) || !chosen.has(previous);
}

/** The quotable sentences after the best one in its paragraph. */
function following<P extends Passage>(
  best: Scored<P>,
  all: readonly Scored<P>[],
  quotable: readonly Scored<P>[],
): Scored<P>[] {
  const after = all.slice(all.indexOf(best) + 1);
  const end = after.findIndex(
    (one) => one.passage !== best.passage || one.paragraph !== best.paragraph || !quotable.includes(one),
  );
  return end < 0 ? after : after.slice(0, end);
}

function bySource<P extends Passage>(chosen: readonly Scored<P>[]): Scored<P>[] {
  const bestOf = new Map<string, number>();
  for (const { passage, score } of chosen)
    bestOf.set(passage.source, Math.max(bestOf.get(passage.source) ?? -Infinity, score));
  const worth = ({ passage }: Scored<P>) => bestOf.get(passage.source) ?? 0;
  const best = chosen.reduce<Scored<P> | undefined>(
    (top, one) => (top === undefined || one.score > top.score ? one : top),
    undefined,
  );
  // Pieces of one text come unordered: the first piece is known, else the best one leads.
  const piece = ({ passage, rank }: Scored<P>) => (beginsText(passage) ? -2 : rank === best?.rank ? -1 : rank);
  return chosen.toSorted((a, b) => worth(b) - worth(a) || piece(a) - piece(b) || a.rank - b.rank || a.place - b.place);
}
