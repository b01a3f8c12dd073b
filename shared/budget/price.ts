// What a model call costs, without rounding: money is whole pico-dollars (a millionth of a millionth of a dollar). A price is
// dollars per million tokens, so a token costs a million times that number of pico-dollars.
import * as z from "zod";
import type { Usage } from "./usage.ts";

/** US dollars per million: of tokens, and of searches that the API makes by itself. */
export const Price = z.object({
  input: z.number().nonnegative(),
  output: z.number().nonnegative(),
  cacheRead: z.number().nonnegative(),
  cacheWrite: z.number().nonnegative(),
  webSearch: z.optional(z.number().nonnegative()),
});
export type Price = Readonly<z.infer<typeof Price>>;

const PICO = 1e12;
/** The largest budget, in dollars: sums up to here are exact. */
export const MAX_USD = 9000;

/** Pico-dollars of one token, or of one search. Exact for a price of at most six decimals; what is finer is rounded to them. */
export function perToken(usdPerMillion: number): number {
  return Math.round(usdPerMillion * 1e6);
}

/** Pico-dollars of an amount in dollars. */
export function toPico(usd: number): number {
  return Math.round(usd * PICO);
}

/** Dollars, for people and for JSON. */
export function toUsd(pico: number): number {
  return pico / PICO;
}

/** What a model call cost, in dollars. */
export function costOf(usage: Usage, price: Price): number {
  return toUsd(picoOf(usage, price));
}

/** What a model call cost, in pico-dollars. */
export function picoOf(usage: Usage, price: Price): number {
  return (
    usage.inputTokens * perToken(price.input) +
    usage.outputTokens * perToken(price.output) +
    usage.cacheReadTokens * perToken(price.cacheRead) +
    usage.cacheWriteTokens * perToken(price.cacheWrite) +
    (usage.webSearches ?? 0) * perToken(price.webSearch ?? 0)
  );
}

/** The most that a token of a request may cost, in pico-dollars: whether it will be cached is not known before. */
export function perInputToken({ input, cacheRead, cacheWrite }: Price): number {
  return Math.max(perToken(input), perToken(cacheRead), perToken(cacheWrite));
}
