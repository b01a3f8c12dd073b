// Words as tokens for index and ranking: folded, stemmed, without stop words. Scripts without spaces, and Korean, give
// pairs of characters; Thai and related scripts are split by a dictionary.
import { stemmer } from "stemmer";
import { TextMemory } from "./text-memory.ts";
import { FOREIGN_STOP_WORDS, isAskingInKorean, fold, wordsOf } from "./words.ts";

const PAIRED = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}ー";
const BY_DICTIONARY = "\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}";
/** Runs of one kind within a word. */
const RUNS = new RegExp(`[${PAIRED}]+|[${BY_DICTIONARY}\\p{M}]+|[^${PAIRED}${BY_DICTIONARY}]+`, "gu");
const IS_PAIRED = new RegExp(`^[${PAIRED}]`, "u");
const IS_BY_DICTIONARY = new RegExp(`^[${BY_DICTIONARY}]`, "u");
/** Written without spaces. */
const UNSPACED = new RegExp(`[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}${BY_DICTIONARY}]`, "u");
const HAN = /^\p{Script=Han}$/u;
const LATIN = /^[a-z]+$/;
/** Case endings of Russian and related languages. */
const CYRILLIC_ENDING = /(?<=^\p{Script=Cyrillic}{3,64})[аеёиоуыэюяйьъіїє]{1,3}$/u;
/** The Arabic article, with the particles that are written together with it. */
const ARABIC_ARTICLE = /^[وبفك]?(?:ال|لل)(?=.{3})/u;
/** 1,000 and 1000 are the same word. */
const THOUSANDS = /,(?=\d{3}(?!\d))/g;
/** Characters of a word that count. */
const LONGEST_WORD = 64;
/** Key words of a question; further ones name no subject. */
const MOST_KEY_WORDS = 64;
const LONGEST_QUESTION = 20_000;
const MAX_QUESTIONS_BYTES = 1_000_000;
/** Of a word in a list, beside its characters. */
const WORD_BYTES = 50;
const MEMO_LIMIT = 20_000;
/** Characters; a longer word is not cached, because V8 would keep the whole text in memory with it. */
const MEMO_WORD = 12;

const words = new Intl.Segmenter("th", { granularity: "word" });

const STOP_WORDS = new Set(
  `a about above after again all also am an and any are aren as at be because been before being below between both but by
  can could couldn d did didn do does doesn doing don down during each else etc few for from further had has hasn have
  having he her here hers him his how i if in into is isn it its itself just let ll m may me might more most much must my no
  nor not now of off on once only or other our ours out over own per please re s same shall she should so some such t than
  that the their theirs them then there these they this those though through to too under until up upon us ve very was
  wasn we were weren what when where whether which while who whom whose why will with within without won would wouldn yes
  you your yours`.split(/\s+/),
);

/** Words that ask, and do not name the subject. */
const ASKING = new Set(
  `ask asks compare compared comparison contrast describe detail details differ difference differences differs different earlier exactly explain find follow followup get gets give good happen
  happens help kind know like look main make makes many mean means need overview people question research say says show
  short sort source sources stand stands summarise summarize summary tell thing things understand use used uses using versus vs want way ways
  work works write`.split(/\s+/),
);

/** Phrases that ask for a number; their words name no subject. */
const HOW_MUCH = /\bhow (?:long|often|many|much|far|fast|old|large|big|high|soon)\b/gi;

interface Word {
  readonly tokens: readonly string[];
  readonly isStopWord: boolean;
}

/** A cache; results do not depend on it. */
const memo = new Map<string, Word>();

/** Key words by question: each round of a conversation asks for them several times. */
const questions = new TextMemory<readonly string[]>(MAX_QUESTIONS_BYTES, (found) =>
  found.reduce((bytes, word) => bytes + WORD_BYTES + 2 * word.length, 0),
);

/** Tokens of the content words of `text`, in order, with repetitions. */
export function tokenize(text: string): string[] {
  const tokens: string[] = [];
  for (const raw of wordsOf(text)) {
    const word = read(raw);
    if (!word.isStopWord) for (const token of word.tokens) tokens.push(token);
  }
  return tokens;
}

/** Tokens of all words, with stop words, as an index stores them; then each Chinese character, which may be a word. */
export function indexTokens(text: string): string[] {
  const tokens: string[] = [];
  const characters: string[] = [];
  for (const raw of wordsOf(text)) {
    for (const token of read(raw).tokens) tokens.push(token);
    if (UNSPACED.test(raw)) for (const character of fold(raw)) if (HAN.test(character)) characters.push(character);
  }
  return tokens.concat(characters);
}

/** Whether the tokens contain the word. A single character may be part of a pair. */
export function hasToken(tokens: ReadonlySet<string>, token: string): boolean {
  if (tokens.has(token)) return true;
  if (HAN.test(token)) for (const pair of tokens) if (pair.includes(token)) return true;
  return false;
}

/**
 * The content words of a question as written, each once: what one would type into a search box. Leaves out words that
 * only ask ("explain", "tell"), unless nothing else remains. At most 64, of the first 20,000 characters.
 */
export function keyWords(question: string): string[] {
  return [...questions.of(question, readKeyWords)];
}

function readKeyWords(question: string): readonly string[] {
  const found = new Map<string, string>();
  const read = question.slice(0, LONGEST_QUESTION).replace(HOW_MUCH, "how");
  for (const raw of wordsOf(read).flatMap(segments)) {
    const word = fold(raw.slice(0, LONGEST_WORD));
    if (STOP_WORDS.has(word) || FOREIGN_STOP_WORDS.has(word) || isAskingInKorean(word) || found.has(word)) continue;
    found.set(word, raw);
    if (found.size === MOST_KEY_WORDS) break;
  }
  const named = [...found].filter(([word]) => !ASKING.has(word));
  return (named.length > 0 ? named : [...found]).map(([, raw]) => raw);
}

/** The distinct tokens of a question's key words. */
export function questionTerms(question: string): string[] {
  return [...new Set(tokenize(keyWords(question).join(" ")))];
}

/**
 * The words of a run without spaces. Chinese characters outside the dictionary form a name; single kana are endings.
 */
function segments(run: string): string[] {
  if (!UNSPACED.test(run)) return [run];
  const found: string[] = [];
  let name = "";
  for (const { segment } of words.segment(run)) {
    if (HAN.test(segment) && !FOREIGN_STOP_WORDS.has(segment)) {
      name += segment;
      continue;
    }
    if (name !== "") found.push(name);
    name = "";
    if (segment.length > 1) found.push(segment);
  }
  return name === "" ? found : [...found, name];
}

function read(raw: string): Word {
  if (raw.length > MEMO_WORD) return analyse(raw);
  const known = memo.get(raw);
  if (known !== undefined) return known;
  if (memo.size >= MEMO_LIMIT) memo.clear();
  const word = analyse(raw);
  memo.set(raw, word);
  return word;
}

function analyse(raw: string): Word {
  const folded = fold(raw);
  if (STOP_WORDS.has(folded)) return { tokens: [folded], isStopWord: true };
  const tokens = (folded.match(RUNS) ?? []).flatMap((run) => {
    if (IS_PAIRED.test(run)) return characterPairs(run);
    if (IS_BY_DICTIONARY.test(run)) return Array.from(words.segment(run), ({ segment }) => segment);
    return [stem(run.slice(0, LONGEST_WORD))];
  });
  return { tokens, isStopWord: false };
}

function stem(word: string): string {
  if (LATIN.test(word)) return stemmer(word);
  return word.replace(THOUSANDS, "").replace(CYRILLIC_ENDING, "").replace(ARABIC_ARTICLE, "");
}

function characterPairs(run: string): string[] {
  const characters = [...run];
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}
