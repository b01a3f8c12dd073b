// The cost of model calls, without rounding errors: in whole pico-dollars (1e-12 dollars). A price is dollars per
// million tokens, so one token costs price × 1e6 pico-dollars.
import * as z from "zod";
import type { Usage } from "./usage.ts";

/** US dollars per million tokens, or per million of the API's own searches. */
export const Price = z.object({
  input: z.number().nonnegative(),
  output: z.number().nonnegative(),
  cacheRead: z.number().nonnegative(),
  cacheWrite: z.number().nonnegative(),
  webSearch: z.optional(z.number().nonnegative()),
});
export type Price = Readonly<z.infer<typeof Price>>;

const PICO = 1e12;
/** The largest budget in dollars: pico-dollar sums up to here are exact. */
export const MAX_USD = 9000;

/** Pico-dollars of one token or search. Exact for prices of up to six decimals; finer ones are rounded. */
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

/** The cost of a model call in dollars. */
export function costOf(usage: Usage, price: Price): number {
  return toUsd(picoOf(usage, price));
}

/** The cost of a model call in pico-dollars. */
export function picoOf(usage: Usage, price: Price): number {
  return (
    usage.inputTokens * perToken(price.input) +
    usage.outputTokens * perToken(price.output) +
    usage.cacheReadTokens * perToken(price.cacheRead) +
    usage.cacheWriteTokens * perToken(price.cacheWrite) +
    (usage.webSearches ?? 0) * perToken(price.webSearch ?? 0)
  );
}

/**
 * The most that a token of a request may cost, in pico-dollars: whether the token will be cached is unknown before the
 * call.
 */
export function perInputToken({ input, cacheRead, cacheWrite }: Price): number {
  return Math.max(perToken(input), perToken(cacheRead), perToken(cacheWrite));
}
