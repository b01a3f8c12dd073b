// Tokens that model calls used, counted as the Messages API counts them.
import * as z from "zod";

/** Cache tokens are not part of `inputTokens`. */
export const Usage = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadTokens: z.number(),
  cacheWriteTokens: z.number(),
  /** The API's own searches; absent for none. */
  webSearches: z.optional(z.number()),
});
export type Usage = Readonly<z.infer<typeof Usage>>;

/** More tokens than any call has; sums of larger figures would not be exact. */
const MOST_REPORTED = 100_000_000;

/** A figure as a backend reports it; null when absent or impossible. */
export function reportedFigure(said: unknown): number | null {
  return typeof said === "number" && said >= 0 && said <= MOST_REPORTED ? Math.ceil(said) : null;
}

export const ReportedFigure = z.unknown().nullish().catch(null).transform(reportedFigure);

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

/** All tokens of a call, cache tokens included. */
export function tokensOf({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Usage): number {
  return inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens;
}
