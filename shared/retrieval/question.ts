// What a question asks for, told from its words and from the titles of the passages at hand: its units (words and names
// of several words), how much each counts, and the kind of answer that is wanted.
import { relatedStems } from "./related-words.ts";
import { hasToken, keyWords, tokenize } from "./tokens.ts";

/** A word or a name of several words, e.g. "Durable Objects", that the answer should speak about. */
export interface Unit {
  /** Stems in order. */
  readonly stems: readonly string[];
  /** Importance, before rarity: an ordinary word has 1. */
  readonly weight: number;
  /** Whether it names the subject, i.e. stands in a passage's title or is written as a name. */
  readonly focus: boolean;
  /** As the question has it, in lower case. */
  readonly written: string;
}

export type Kind = "definition" | "overview" | "quantity" | "date" | "reason" | "comparison" | "other";

export interface AskedFor {
  readonly units: readonly Unit[];
  readonly kind: Kind;
}

/** What the person now asks weighs more than what they asked before (see `contextualQuestion`). */
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
/** What is read of a question; who asks says so in fewer words. Each unit is looked for in every sentence. */
const LONGEST_QUESTION = 4_000;
const MOST_UNITS = 32;
const MOST_HEADINGS = 1_000;
const LONGEST_NAME = 4;

/** `headings` tell which words are one name, `titles` also what the texts are about. */
export function readQuestion(question: string, titles: readonly string[], headings: readonly string[] = []): AskedFor {
  const { asked, earlier } = splitQuestion(question);
  const about: Headlines = {
    titles: titles.map(titleTokens),
    headings: headings.slice(0, MOST_HEADINGS).map((heading) => tokenize(heading)),
  };
  const now = unitsOf(asked, about, earlier === "" ? 1 : FOLLOW_UP_WEIGHT);
  const known = new Set(now.flatMap(({ stems }) => stems));
  // Of an earlier question the subject counts in full.
  const before = unitsOf(earlier, about, EARLIER_WEIGHT)
    .map((unit) => (unit.focus ? { ...unit, weight: unit.weight / EARLIER_WEIGHT } : unit))
    .filter(({ stems }) => !stems.every((stem) => known.has(stem)));
  const units = [...now, ...before];
  return { units, kind: kindOf(asked, now, units) };
}

/** A question and what it refers back to, each cut to a length at which it still is one. */
function splitQuestion(question: string): { asked: string; earlier: string } {
  const whole = question.trimEnd();
  const begin = whole.endsWith(")") ? whole.indexOf(EARLIER) : -1;
  if (begin < 0) return { asked: question.slice(0, LONGEST_QUESTION), earlier: "" };
  return {
    asked: whole.slice(0, Math.min(begin, LONGEST_QUESTION)),
    earlier: whole.slice(begin + EARLIER.length, -1).slice(0, LONGEST_QUESTION),
  };
}

/** Stems of a title, and its initials if they could be its short name: "Server-sent events" gives "sse" as well. */
export function titleTokens(title: string): string[] {
  const stems = tokenize(title);
  const initials = stems.length >= 3 && stems.length <= 5 ? [stems.map((stem) => stem[0]).join("")] : [];
  return [...stems, ...initials];
}

/** Whether the word only says which measure is asked for: sources answer "maximum size" with a number. */
export function namesMeasure(word: string): boolean {
  return QUANTITY.test(word);
}

/** Where in `tokens` the stems follow each other, or -1. Stop words are no tokens: they may stand between. */
export function indexOfStems(stems: readonly string[], tokens: readonly string[]): number {
  const [first = ""] = stems;
  for (let index = tokens.indexOf(first); index >= 0; index = tokens.indexOf(first, index + 1)) {
    if (stems.every((stem, offset) => tokens[index + offset] === stem)) return index;
  }
  return -1;
}

/** How well a text has the unit: 1 as it is, less with a related word or with parts of a name only, else 0. */
export function matchUnit(unit: Unit, tokens: readonly string[], set: ReadonlySet<string>): number {
  const { stems } = unit;
  const [first = ""] = stems;
  if (stems.length > 1) {
    if (stems.every((stem) => set.has(stem)) && indexOfStems(stems, tokens) >= 0) return 1;
    // Of a name apart from each other, or of one word some pairs of characters: its stem.
    const scale = unit.written.includes(" ") ? 0.15 : 0.9;
    return scale * (stems.filter((stem) => set.has(stem)).length / stems.length);
  }
  if (hasToken(set, first)) return 1;
  for (const other of relatedStems(first)) if (set.has(other)) return 0.6;
  return 0;
}

/** Stems of each. */
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
 * How many of the words, from the first on, are one name: they follow each other in the question and in some title or
 * heading.
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

/** Written with a capital or a digit, and not because a sentence begins there. */
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
