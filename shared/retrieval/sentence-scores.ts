// Scores how well each sentence answers a question: by its units, and by whether it is the wanted kind of sentence.
import { centrality } from "./ranking.ts";
import type { Passage } from "./passages.ts";
import { indexOfStems, matchUnit, readQuestion, titleTokens, type AskedFor, type Kind, type Unit } from "./question.ts";
import { neighbourhoods } from "./neighbourhood.ts";
import { rarity } from "./relevance.ts";
import { readParagraphs, ReadText, readText } from "./reading.ts";
import { questionTerms } from "./tokens.ts";

export interface Sentence<P extends Passage = Passage> {
  readonly text: string;
  readonly passage: P;
  /** Position of the passage in the list. */
  readonly rank: number;
  /** Position of the sentence and of its paragraph in the passage. */
  readonly place: number;
  readonly paragraph: number;
  readonly tokens: readonly string[];
  readonly set: ReadonlySet<string>;
  /** Stems of the heading above; the same array throughout a section. */
  readonly heading: readonly string[];
}

export interface Scored<P extends Passage = Passage> extends Sentence<P> {
  /** Higher is better; comparable within one question only. */
  readonly score: number;
  /** The units in the sentence itself. */
  readonly has: ReadonlySet<Unit>;
}

/** Further sentences are ignored; about 200 KB of text. */
const MOST_SENTENCES = 2_000;
/** Characters of a sentence that may be quoted as a whole. */
export const LONGEST_QUOTE = 420;
/** Weight of a unit in the title or heading above, compared with one in the sentence; and in the sentence before. */
const ABOVE = 0.75;
const BEFORE = 0.3;
/** Weight of the sentence before when the sentence refers back to it. */
const BEFORE_REFERRED = 0.7;
const NUMBER =
  /\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|sixty|hundreds?|thousands?|once|twice)\b/i;
const DATE =
  /\b(?:1[5-9]|20)\d\d\b|\b(?:January|February|March|April|June|July|August|September|October|November|December)\b/;
const REASON = /\b(?:because|since|therefore|so that|so|thus|hence|reason|due to|otherwise|this is why|in order to)\b/i;
const REFERS = /\b(?:it|its|they|them|their|this|these)\b/i;
const CONTRAST =
  /\b(?:whereas|while|but|in contrast|by contrast|unlike|compared|comparison|differs?|in this|instead|rather than|complements?|preferable)\b/i;
/** The units in which such a number is counted. */
const MEASURES: readonly [RegExp, RegExp][] = [
  [
    /\bhow (?:long|old|soon|late)\b/i,
    /\b(?:(?:milli)?seconds?|minutes?|hours?|days?|weeks?|months?|years?|characters?|bytes?|met(?:re|er)s?)\b/i,
  ],
  [
    /\bhow (?:large|big|much)\b|\bsize\b|\bmemory\b/i,
    /\d\s*(?:[KMGT]i?B|bytes?|characters|megabytes?|grams?|g|kg|ml|litres?|cups?|%|percent|euros?|dollars?)\b|[$€£]\s?\d/i,
  ],
  [/\bhow often\b/i, /\b(?:times|retries|every|each|seconds?|minutes?|daily|weekly|once|twice)\b/i],
];

/** All sentences of the passages, in order. Of sentences too long to quote, the text around the question's words. */
export function sentencesOf<P extends Passage>(question: string, passages: readonly P[]): Sentence<P>[] {
  const sentences: Sentence<P>[] = [];
  const wanted = new Set(questionTerms(question));
  for (const [rank, passage] of passages.entries()) {
    let place = 0;
    for (const [paragraph, part] of readParagraphs(passage.text).entries()) {
      for (const one of part.sentences.flatMap((sentence) => quotable(sentence, wanted))) {
        if (sentences.length >= MOST_SENTENCES) return sentences;
        const { tokens, set } = one.words;
        sentences.push({ text: one.text, passage, rank, place, paragraph, tokens, set, heading: part.heading });
        place += 1;
      }
    }
  }
  return sentences;
}

function quotable(sentence: ReadText, wanted: ReadonlySet<string>): readonly ReadText[] {
  if (sentence.text.length <= LONGEST_QUOTE) return [sentence];
  return neighbourhoods(sentence.text, wanted).map((text) => new ReadText(text));
}

/** Scores the sentences. Without a question, or without matches, by how central they are to the text. */
export function scoreSentences<P extends Passage>(
  question: string,
  sentences: readonly Sentence<P>[],
): { scored: Scored<P>[]; asked: AskedFor } {
  const passages = [...new Set(sentences.map(({ passage }) => passage))];
  const asked = readQuestion(
    question,
    passages.map(({ title }) => title),
    passages.flatMap(({ text }) => readText(text).headings),
  );
  const { units, kind } = asked;
  const matchAll = (tokens: readonly string[]) => {
    const set = new Set(tokens);
    return units.map((unit) => matchUnit(unit, tokens, set));
  };
  const titles = new Map(passages.map((passage) => [passage, matchAll(titleTokens(passage.title))]));
  const headings = new Map(
    [...new Set(sentences.map(({ heading }) => heading))].map((heading) => [heading, matchAll(heading)]),
  );
  const matches = sentences.map(({ tokens, set }) => units.map((unit) => matchUnit(unit, tokens, set)));
  const weights = units.map(
    (unit, at) => unit.weight * rarity(matches.filter((match) => (match[at] ?? 0) >= 1).length, sentences.length),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
  const central = centrality(sentences.map(({ tokens }) => tokens));
  const subjects = units.filter(({ focus }) => focus);

  const scored = sentences.map((sentence, index): Scored<P> => {
    const title = titles.get(sentence.passage) ?? [];
    const under = headings.get(sentence.heading) ?? [];
    const before = sentence.place > 0 ? (matches[index - 1] ?? []) : [];
    const samePart = sentences[index - 1]?.paragraph === sentence.paragraph;
    const own = matches[index] ?? [];
    const fromBefore = REFERS.test(sentence.text) ? BEFORE_REFERRED : BEFORE;
    const lower = sentence.text.toLowerCase();
    const covered = units.reduce((sum, unit, at) => {
      const nearby = Math.max(
        ABOVE * (under[at] ?? 0),
        unit.focus ? ABOVE * (title[at] ?? 0) : 0,
        samePart ? fromBefore * (before[at] ?? 0) : 0,
      );
      const asWritten = !unit.focus && lower.includes(unit.written) ? 0.1 : 0;
      return sum + (weights[at] ?? 0) * (Math.max(own[at] ?? 0, nearby) + asWritten);
    }, 0);
    const has = new Set(units.filter(({ focus }, at) => (own[at] ?? 0) >= 0.6 || (!focus && (under[at] ?? 0) >= 1)));
    const aboutIt = units.some(({ focus }, at) => focus && (title[at] ?? 0) >= 1);
    const bonus =
      has.size === 0 && !aboutIt
        ? 0
        : kindBonus(kind, question, sentence, !samePart, subjects.length > 0 ? subjects : units, has);
    const score =
      covered / total +
      bonus +
      (units.length === 0 ? 1 : 0.15) * (central[index] ?? 0) +
      (sentence.place === 0 && (aboutIt || units.length === 0) ? 0.12 : 0) +
      (aboutIt ? 0.1 : 0) +
      0.15 / (1 + sentence.rank);
    return { ...sentence, score, has };
  });
  return { scored, asked };
}

function kindBonus(
  kind: Kind,
  question: string,
  { text, tokens, place }: Sentence,
  leads: boolean,
  subjects: readonly Unit[],
  has: ReadonlySet<Unit>,
): number {
  switch (kind) {
    case "definition":
      return defines(text, tokens, subjects) ? 0.6 : place < 3 ? 0.15 : 0;
    case "overview":
      return (defines(text, tokens, subjects) ? 0.3 : 0) + (place < 2 ? 0.2 : 0) + (leads ? 0.3 : 0);
    case "date":
      return DATE.test(text) ? 0.4 : 0;
    case "quantity": {
      const measure = MEASURES.find(([asks]) => asks.test(question))?.[1];
      const fits = measure === undefined || measure.test(text);
      return NUMBER.test(text) ? (fits ? 0.35 : 0.15) : 0;
    }
    case "reason":
      return REASON.test(text) ? 0.2 : 0;
    case "comparison": {
      const named = subjects.filter((unit) => has.has(unit)).length;
      return (
        (named > 1 ? 0.4 : 0) +
        (CONTRAST.test(text) && named > 0 ? 0.2 : 0) +
        (defines(text, tokens, subjects) ? 0.3 : 0)
      );
    }
    default:
      return 0;
  }
}

/**
 * Whether the sentence begins with the subject and says what it is: "A Durable Object is …", "OTLP, the OpenTelemetry
 * Protocol, …".
 */
function defines(text: string, tokens: readonly string[], subjects: readonly Unit[]): boolean {
  const begins = subjects.some(
    (unit) => indexOfStems(unit.stems, tokens) === 0 || unit.stems.some((stem) => tokens[0] === stem),
  );
  return (
    begins &&
    /^(?:[^\s,]+\s+){0,5}?[^\s,]+(?:,\s|\s(?:is|are|was|were|means|stands for|rates|contains|describes|defines|makes|lets?|runs?|stores?)\s)/i.test(
      text,
    )
  );
}
