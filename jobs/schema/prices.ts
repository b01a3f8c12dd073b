// Prices of models. For other models a job gives the price (`model.price`), or no cost is shown.
import type { Price } from "#shared/budget/price.ts";

/** The day on which the prices were read. */
export const PRICES_AS_OF = "2026-11-01";

/** Claude's own web search, in US dollars per million searches; the same for all models. */
export const WEB_SEARCH = 10_000;

/**
 * List prices of the Claude API (platform.claude.com, "Pricing"; cache writes of 5 minutes). claude-haiku-5-5 is left out: its price
 * depends on the length of the prompt.
 */
const PRICES: Readonly<Record<string, Price>> = {
  "claude-sonnet-5-5": { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5, webSearch: WEB_SEARCH },
  "claude-opus-5-5": { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5, webSearch: WEB_SEARCH },
  "claude-opus-5": { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25, webSearch: WEB_SEARCH },
  "claude-haiku-4-5": { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25, webSearch: WEB_SEARCH },
};

export const PRICED_MODELS: readonly string[] = Object.keys(PRICES);

/** The offline model runs on the user's own machine. */
export const FREE: Price = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

/** The price of a model, by its name with or without a date at its end; undefined for an unknown one. */
export function priceOf(model: string): Price | undefined {
  const name = model.replace(/-\d{8}$/, "");
  return Object.hasOwn(PRICES, name) ? PRICES[name] : undefined;
}
