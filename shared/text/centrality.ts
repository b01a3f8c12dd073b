// How much a sentence says of what the whole text says: closeness to the text's tf-idf centre. Linear in the text's length.

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
