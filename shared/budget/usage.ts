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

/** More tokens than any call has: sums of such figures would not be exact. */
const MOST_REPORTED = 100_000_000;

/** A figure as a backend reports it; null where it says none, or none that can be true. */
export const ReportedFigure = z
  .number()
  .nonnegative()
  .max(MOST_REPORTED)
  .transform(Math.ceil)
  .nullish()
  .catch(null)
  .transform((figure) => figure ?? null);

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

/** All tokens of a call, those of the cache included. */
export function tokensOf({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Usage): number {
  return inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens;
}
