// Finds values that a question names: "invoice 4711" for a property invoice, "120 EUR" for an amount, "to ACME" for a
// payee.
import { trimEndOf } from "#shared/text/spaces.ts";

const AMOUNT = /^(?:.*_)?(?:amount|price|sum|total|cost)$/;
const PARTY = /^(?:payee|recipient|receiver|vendor|supplier|company|customer)$/;
const SMALL_WORDS: ReadonlySet<string> = new Set(["from", "to", "into"]);
const CURRENCY = /^(?:currency|currency_?code)$/;

const SYMBOLS: Readonly<Record<string, string>> = { "€": "EUR", $: "USD", "£": "GBP", euro: "EUR", euros: "EUR" };
const NUMBER = String.raw`\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?`;
const UNIT = String.raw`[€$£]|euros?\b|(?:EUR|USD|GBP|CHF|JPY|SEK|NOK|DKK|PLN|CAD|AUD)\b`;
const MONEY = new RegExp(String.raw`(${UNIT})\s*(${NUMBER})|(?<![\w.,/-])(${NUMBER})\s*(${UNIT})`, "i");
const NAME = String.raw`(?!(?:EUR|USD|GBP|CHF)\b)\p{Lu}[\p{L}\p{N}&.-]*`;
const NAMES = String.raw`${NAME}(?:\s+(?:&\s+)?${NAME})*`;
/** Best first: after "to", after another preposition, anywhere but at the beginning. */
const PARTIES: readonly RegExp[] = [
  new RegExp(String.raw`\b[Tt]o\s+(?:the\s+)?(${NAMES})`, "u"),
  new RegExp(String.raw`\b(?:from|by|of)\s+(${NAMES})`, "u"),
  // The capital first: a lookbehind at each space would take quadratic time.
  new RegExp(String.raw`(?=\p{Lu})(?<=\S\s+)(${NAMES})`, "u"),
];
const TO_ANYBODY = /\bto\s+([\p{L}\p{N}]+)/gu;

/** The number for a property of this name; undefined unless the question says it plainly. */
export function namedNumber(name: string, question: string): number | undefined {
  const money = AMOUNT.test(name.toLowerCase()) ? moneyIn(question)?.amount : undefined;
  const named = money ?? Number(after(name, question)?.replaceAll(",", "") ?? Number.NaN);
  return Number.isFinite(named) ? named : undefined;
}

/** The text for a property of this name; undefined unless the question says it plainly. */
export function namedText(name: string, question: string): string | undefined {
  const key = name.toLowerCase();
  if (CURRENCY.test(key)) return moneyIn(question)?.currency;
  if (PARTY.test(key)) {
    for (const pattern of PARTIES) {
      const found = pattern.exec(question)?.[1];
      if (found !== undefined) return trimEndOf(found, /[.&-]/);
    }
    return [...question.matchAll(TO_ANYBODY)].at(-1)?.[1];
  }
  return after(name, question) ?? saidAfter(name, question);
}

/**
 * The word after a preposition that the property's name is or begins with: "mi" for "to" or "to_unit" in "5 km to mi".
 */
export function saidAfter(name: string, question: string): string | undefined {
  const [small = ""] = name.toLowerCase().split(/[_-]/);
  if (!SMALL_WORDS.has(small)) return undefined;
  const words = question.split(/[^\p{L}\p{N}_-]+/u);
  return words[words.findLastIndex((word) => word.toLowerCase() === small) + 1 || words.length];
}

/** The word with a digit after the property's name: "invoice 4711", "order no. A-17". */
function after(name: string, question: string): string | undefined {
  const words = name.replaceAll(/[_-]+/g, " ").replaceAll(/[^\p{L}\p{N} ]/gu, "");
  if (words.trim() === "") return undefined;
  const label = String.raw`\b${words}(?:\s+(?:no\.?|nr\.?|number|id))?[\s:#]+`;
  const found = new RegExp(String.raw`${label}((?=[\w./-]*\d)[\w./,-]+)`, "iu").exec(question)?.[1];
  return found === undefined ? undefined : trimEndOf(found, /[^\p{L}\p{N}]/u);
}

function moneyIn(question: string): { amount: number; currency: string } | undefined {
  const [, unitBefore, numberAfter, numberBefore, unitAfter] = MONEY.exec(question) ?? [];
  const [number, unit] = [numberAfter ?? numberBefore, unitBefore ?? unitAfter];
  if (number === undefined || unit === undefined) return undefined;
  return { amount: Number(number.replaceAll(",", "")), currency: SYMBOLS[unit.toLowerCase()] ?? unit.toUpperCase() };
}
