// What a model call costs.
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

/** US dollars. */
export function costOf(usage: Usage, price: Price): number {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, webSearches = 0 } = usage;
  const micro =
    inputTokens * price.input +
    outputTokens * price.output +
    cacheReadTokens * price.cacheRead +
    cacheWriteTokens * price.cacheWrite +
    webSearches * (price.webSearch ?? 0);
  return micro / 1_000_000;
}
