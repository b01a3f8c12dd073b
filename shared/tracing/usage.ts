// Tokens that model calls used, as the Messages API counts them and as they are stored, added up and sent along.
import * as z from "zod";

/** Cache tokens are not part of `inputTokens`. */
export const Usage = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadTokens: z.number(),
  cacheWriteTokens: z.number(),
  /** Searches that the API made by itself; left out where it made none. */
  webSearches: z.optional(z.number()),
});
export type Usage = Readonly<z.infer<typeof Usage>>;

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

export function addUsage(a: Usage, b: Usage): Usage {
  const webSearches = (a.webSearches ?? 0) + (b.webSearches ?? 0);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    ...(webSearches > 0 ? { webSearches } : {}),
  };
}
