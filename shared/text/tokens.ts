// Words as the rankers see them: lower case, stemmed, without stop words. Scripts without spaces become pairs of characters.
import { stemmer } from "stemmer";

const WORD = /[\p{L}\p{N}]+(?:[.,]\p{N}+)*/gu;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const LATIN = /^[a-z]+$/;
/** 1,000 and 1000 are one word. */
const THOUSANDS = /,(?=\d{3}(?!\d))/g;
const MEMO_LIMIT = 20_000;

const STOP_WORDS = new Set(
  `a about above after again all also am an and any are aren as at be because been before being below between both but by
  can could couldn d did didn do does doesn doing don down during each else etc few for from further had has hasn have
  having he her here hers him his how i if in into is isn it its itself just let ll m may me might more most much must my no
  nor not now of off on once only or other our ours out over own per please re s same shall she should so some such t than
  that the their theirs them then there these they this those though through to too under until up upon us ve very was
  wasn we were weren what when where whether which while who whom whose why will with within without won would wouldn yes
  you your yours`.split(/\s+/),
);

/** Words that ask rather than name the subject. */
const ASKING = new Set(
  `ask asks compare compared comparison contrast describe detail details differ difference differences differs different earlier exactly explain find follow followup get gets give good happen
  happens help kind know like look main make makes many mean means need overview people question research say says show
  short sort source sources stand stands summarise summarize summary tell thing things understand use used uses using versus vs want way ways
  work works write`.split(/\s+/),
);

/** "How long" asks for a number; neither word says of what. */
const HOW_MUCH = /\bhow (?:long|often|many|much|far|fast|old|large|big|high|soon)\b/gi;

/** Word as written → its tokens. A cache; results do not depend on it. */
const memo = new Map<string, readonly string[]>();

/** Stems of the content words of `text`, in order, with repetitions. */
export function tokenize(text: string): string[] {
  const tokens: string[] = [];
  for (const word of text.match(WORD) ?? []) {
    for (const token of tokensOf(word)) tokens.push(token);
  }
  return tokens;
}

/**
 * The content words of a question as they were written, each once: what one would type into a search box.
 * Words that only ask ("explain", "tell") are left out unless nothing else remains.
 */
export function keyWords(question: string): string[] {
  const words = new Map<string, string>();
  for (const [raw] of question.replace(HOW_MUCH, "how").matchAll(WORD)) {
    const word = raw.toLowerCase();
    if (!STOP_WORDS.has(word) && !words.has(word)) words.set(word, raw);
  }
  const named = [...words].filter(([word]) => !ASKING.has(word));
  return (named.length > 0 ? named : [...words]).map(([, raw]) => raw);
}

/** The distinct stems of a question's key words. */
export function questionTerms(question: string): string[] {
  return [...new Set(tokenize(keyWords(question).join(" ")))];
}

function tokensOf(raw: string): readonly string[] {
  const known = memo.get(raw);
  if (known !== undefined) return known;
  if (memo.size >= MEMO_LIMIT) memo.clear();
  const tokens = analyse(raw.toLowerCase());
  memo.set(raw, tokens);
  return tokens;
}

function analyse(word: string): readonly string[] {
  if (STOP_WORDS.has(word)) return [];
  if (UNSPACED.test(word)) return characterPairs(word);
  return [LATIN.test(word) ? stemmer(word) : word.replace(THOUSANDS, "")];
}

function characterPairs(word: string): string[] {
  const characters = [...word];
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}
