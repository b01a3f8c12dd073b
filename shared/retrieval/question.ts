// What a question asks for: its units (words and names of several words), their weights, and the kind of answer. Told
// from its words and from the titles and headings of the passages.
import { readText } from "./reading.ts";
import { relatedStems } from "./related-words.ts";
import { hasToken, keyWords, tokenize } from "./tokens.ts";

/** A word, or a name of several words such as "Durable Objects", that the answer should mention. */
export interface Unit {
  /** Stems in order. */
  readonly stems: readonly string[];
  /** Importance, before rarity. 1 for an ordinary word. */
  readonly weight: number;
  /** Whether the unit names the subject: stands in a passage's title, or is written as a name. */
  readonly focus: boolean;
  /** As in the question, in lower case. */
  readonly written: string;
}

export type Kind = "definition" | "overview" | "quantity" | "date" | "reason" | "comparison" | "other";

export interface AskedFor {
  readonly units: readonly Unit[];
  readonly kind: Kind;
}

/** The current question weighs more than an earlier one (see `contextualQuestion`). */
const EARLIER = "(follow-up to: ";
const EARLIER_WEIGHT = 0.4;
const FOLLOW_UP_WEIGHT = 1.5;
const COMPARES =
  /\b(?:differ|differs|difference|differences|compare|compares|compared|comparison|versus|vs|contrast|better than|rather than)\b/i;
const DATE = /\b(?:when|(?:what|which) (?:year|date|day|month))\b/i;
const QUANTITY =
  /\b(?:how (?:many|much|large|big|small|long|often|fast|high|far|old|late|soon|hot|heavy)|maxim(?:um|al)|minim(?:um|al)|limits?|size|ports?|codes?|number|price|cost|temperature|percent)\b/i;
const REASON = /\b(?:why|reason|what for|how come)\b/i;
const DEFINES =
  /^\s*(?:(?:so|and|then|please|well)[, ]+)*(?:what(?:['’]s| is| are| was| were| does| do)|who (?:is|are|was)|define|meaning of)\b/i;
const OVERVIEW =
  /^\s*(?:please )?(?:how (?:do|does)\b.*\bwork|(?:explain|describe|summarise|summarize|tell me (?:more )?about)\b)/i;
const MOST_UNITS_DEFINED = 2;
/** Characters read of a question. Each unit is searched in every sentence. */
const LONGEST_QUESTION = 4_000;
const MOST_UNITS = 32;
const MOST_HEADINGS = 1_000;
const LONGEST_NAME = 4;

/** `headings` show which words are one name; `titles` also show what the texts are about. */
export function readQuestion(question: string, titles: readonly string[], headings: readonly string[] = []): AskedFor {
  const { asked, earlier } = splitQuestion(question);
  const about: Headlines = {
    titles: titles.map(titleTokens),
    headings: headings.slice(0, MOST_HEADINGS).map((heading) => readText(heading).words.tokens),
  };
  const now = unitsOf(asked, about, earlier === "" ? 1 : FOLLOW_UP_WEIGHT);
  const known = new Set(now.flatMap(({ stems }) => stems));
  // The subject of an earlier question counts in full.
  const before = unitsOf(earlier, about, EARLIER_WEIGHT)
    .map((unit) => (unit.focus ? { ...unit, weight: unit.weight / EARLIER_WEIGHT } : unit))
    .filter(({ stems }) => !stems.every((stem) => known.has(stem)));
  const units = [...now, ...before];
  return { units, kind: kindOf(asked, now, units) };
}

/** The question, and the earlier question that it refers to, each cut to a length. */
function splitQuestion(question: string): { asked: string; earlier: string } {
  const whole = question.trimEnd();
  const begin = whole.endsWith(")") ? whole.indexOf(EARLIER) : -1;
  if (begin < 0) return { asked: question.slice(0, LONGEST_QUESTION), earlier: "" };
  return {
    asked: whole.slice(0, Math.min(begin, LONGEST_QUESTION)),
    earlier: whole.slice(begin + EARLIER.length, -1).slice(0, LONGEST_QUESTION),
  };
}

/** Stems of a title, and its initials as a possible short name: "Server-sent events" gives "sse", too. */
export function titleTokens(title: string): string[] {
  const stems = readText(title).words.tokens;
  const initials = stems.length >= 3 && stems.length <= 5 ? [stems.map((stem) => stem[0]).join("")] : [];
  return [...stems, ...initials];
}

/** Whether the word names a measure: sources answer "maximum size" with a number. */
export function namesMeasure(word: string): boolean {
  return QUANTITY.test(word);
}

/**
 * Index at which the stems follow each other in `tokens`, or -1. Stop words are no tokens, so they may stand between.
 */
export function indexOfStems(stems: readonly string[], tokens: readonly string[]): number {
  const [first = ""] = stems;
  for (let index = tokens.indexOf(first); index >= 0; index = tokens.indexOf(first, index + 1)) {
    if (stems.every((stem, offset) => tokens[index + offset] === stem)) return index;
  }
  return -1;
}

/** How well a text contains the unit: 1 for a literal match, less for a related word or parts of a name, 0 for none. */
export function matchUnit(unit: Unit, tokens: readonly string[], set: ReadonlySet<string>): number {
  const { stems } = unit;
  const [first = ""] = stems;
  if (stems.length > 1) {
    if (stems.every((stem) => set.has(stem)) && indexOfStems(stems, tokens) >= 0) return 1;
    // Scattered words of a name, or some character pairs of one word.
    const scale = unit.written.includes(" ") ? 0.15 : 0.9;
    return scale * (stems.filter((stem) => set.has(stem)).length / stems.length);
  }
  if (hasToken(set, first)) return 1;
  for (const other of relatedStems(first)) if (set.has(other)) return 0.6;
  return 0;
}

/** Stems of each title and heading. */
interface Headlines {
  readonly titles: readonly (readonly string[])[];
  readonly headings: readonly (readonly string[])[];
}

function unitsOf(text: string, { titles, headings }: Headlines, scale: number): Unit[] {
  const words = keyWords(text)
    .slice(0, MOST_UNITS)
    .map((word) => ({ word, stems: tokenize(word) }))
    .filter(({ stems }) => stems.length > 0);
  const plain = text.replaceAll(/[^\p{L}\p{N}\p{M}]+/gu, " ");
  const inTitle = (stems: readonly string[]) => titles.some((title) => indexOfStems(stems, title) >= 0);
  const isOneName = (stems: readonly string[]) =>
    inTitle(stems) || headings.some((heading) => indexOfStems(stems, heading) >= 0);
  const units: Unit[] = [];
  for (let index = 0; index < words.length;) {
    const length = nameLength(plain, words.slice(index, index + LONGEST_NAME), isOneName);
    const taken = words.slice(index, index + length);
    const stems = taken.flatMap((word) => word.stems);
    const focus = inTitle(stems) || taken.every(({ word }) => isName(text, word));
    const weight = (stems.length > 1 && length > 1 ? 2 : focus ? 1.5 : 1) * scale;
    if (!units.some((unit) => unit.stems.join(" ") === stems.join(" ")))
      units.push({
        stems,
        weight,
        focus,
        written: taken
          .map(({ word }) => word)
          .join(" ")
          .toLowerCase(),
      });
    index += Math.max(1, length);
  }
  return units;
}

/**
 * Number of words, from the first, that are one name: they follow each other in the question and in a title or heading.
 */
function nameLength(
  plain: string,
  words: readonly { readonly word: string; readonly stems: readonly string[] }[],
  isOneName: (stems: readonly string[]) => boolean,
): number {
  for (let length = words.length; length > 1; length -= 1) {
    const run = words.slice(0, length);
    const adjacent = plain.includes(run.map(({ word }) => word).join(" "));
    if (
      adjacent &&
      (isOneName(run.flatMap(({ stems }) => stems)) || run.every(({ word }) => /^\p{Lu}\p{Ll}/u.test(word)))
    )
      return length;
  }
  return 1;
}

/** Written with a capital or a digit, and not only because a sentence begins. */
function isName(text: string, word: string): boolean {
  if (!/[\p{Lu}\p{N}]/u.test(word)) return false;
  return text.trimStart().indexOf(word) > 0 || /^.+\p{Lu}|\p{N}/u.test(word);
}

function kindOf(asked: string, units: readonly Unit[], withEarlier: readonly Unit[]): Kind {
  if (COMPARES.test(asked) && withEarlier.length > 1) return "comparison";
  if (DATE.test(asked) && /^\s*(?:and |so )?(?:when|what|which|in)\b/i.test(asked)) return "date";
  if (QUANTITY.test(asked)) return "quantity";
  if (REASON.test(asked)) return "reason";
  if (OVERVIEW.test(asked) && units.length <= MOST_UNITS_DEFINED) return "overview";
  return (DEFINES.test(asked) || units.length === 1) && units.length <= MOST_UNITS_DEFINED ? "definition" : "other";
}
