// Maximal marginal relevance: picks what is relevant and not yet said.

export interface Candidate {
  readonly tokens: ReadonlySet<string>;
  /** Any scale; only differences count after division by the highest. */
  readonly relevance: number;
}

/**
 * Indexes of at most `limit` candidates, best first. `lambda` 1 weighs relevance alone, 0 novelty alone.
 * Near copies (overlap above 0.8) of what was picked are never picked.
 */
export function pickDiverse(candidates: readonly Candidate[], limit: number, lambda = 0.7): number[] {
  const highest = candidates.reduce((best, { relevance }) => Math.max(best, relevance), 0) || 1;
  const likeness = candidates.map(() => 0);
  const picked: number[] = [];
  const open = new Set(candidates.keys());
  while (picked.length < limit && open.size > 0) {
    let best = -1;
    let bestValue = -Infinity;
    for (const index of open) {
      const candidate = candidates[index];
      if (candidate === undefined) continue;
      const value = (lambda * candidate.relevance) / highest - (1 - lambda) * (likeness[index] ?? 0);
      if (value > bestValue) {
        best = index;
        bestValue = value;
      }
    }
    const chosen = candidates[best];
    if (chosen === undefined) break;
    picked.push(best);
    open.delete(best);
    for (const index of open) {
      const like = overlap(chosen.tokens, candidates[index]?.tokens ?? new Set());
      likeness[index] = Math.max(likeness[index] ?? 0, like);
      if (like > 0.8) open.delete(index);
    }
  }
  return picked;
}

/** Shared tokens divided by the size of the smaller set: 0 to 1. */
export function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  if (small.size === 0) return 0;
  let shared = 0;
  for (const token of small) if (large.has(token)) shared += 1;
  return shared / small.size;
}
