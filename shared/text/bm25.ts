// Okapi BM25 over documents that are already tokens.

const K1 = 1.2;
const B = 0.75;

/** One score per document, in the documents' order; 0 where no query term occurs. Repeated query terms count once. */
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
