// Ranking over tokenized documents: BM25, centrality, and diverse selection.
const K1 = 1.2;
const B = 0.75;

/**
 * Okapi BM25: one score per document, in the documents' order; 0 without a query term. Repeated query terms count once.
 */
export function bm25(query: readonly string[], documents: readonly (readonly string[])[]): number[] {
  const scores = documents.map(() => 0);
  const total = documents.reduce((sum, document) => sum + document.length, 0);
  if (total === 0) return scores;
  const averageLength = total / documents.length;
  const wanted = new Set(query);
  const frequencies = documents.map((document) => countOnly(wanted, document));

  for (const term of wanted) {
    const containing = frequencies.reduce((count, frequency) => count + (frequency.has(term) ? 1 : 0), 0);
    if (containing === 0) continue;
    const idf = Math.log(1 + (documents.length - containing + 0.5) / (containing + 0.5));
    frequencies.forEach((frequency, index) => {
      const tf = frequency.get(term) ?? 0;
      const length = documents[index]?.length ?? 0;
      if (tf > 0) {
        scores[index] =
          (scores[index] ?? 0) + (idf * tf * (K1 + 1)) / (tf + K1 * (1 - B + (B * length) / averageLength));
      }
    });
  }
  return scores;
}

function countOnly(wanted: ReadonlySet<string>, tokens: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const token of tokens) {
    if (wanted.has(token)) counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  return counts;
}

// How much a sentence says of what the whole text says: closeness to the text's tf-idf centre. Linear in the text's
// length.

/** One value from 0 to 1 per document (the most central is 1), in the documents' order. */
export function centrality(documents: readonly (readonly string[])[]): number[] {
  const containing = new Map<string, number>();
  for (const document of documents) {
    for (const token of new Set(document)) containing.set(token, (containing.get(token) ?? 0) + 1);
  }
  // A term's weight at the centre: how often it occurs across documents, damped where it occurs in nearly all of them.
  const weight = (token: string) => {
    const count = containing.get(token) ?? 0;
    return count < 2 ? 0 : count * Math.log(1 + documents.length / count);
  };
  const raw = documents.map((document) => {
    if (document.length === 0) return 0;
    let sum = 0;
    for (const token of new Set(document)) sum += weight(token);
    return sum / Math.sqrt(document.length + 4);
  });
  const highest = raw.reduce((a, b) => Math.max(a, b), 0);
  return highest === 0 ? raw : raw.map((value) => value / highest);
}

export interface Candidate {
  readonly tokens: ReadonlySet<string>;
  /** On any scale: divided by the highest. */
  readonly relevance: number;
}

/**
 * Maximal marginal relevance: indexes of at most `limit` candidates, best first. `lambda` 1 weighs relevance alone, 0
 * novelty alone. Never picks near copies (overlap above 0.8) of picked candidates.
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
