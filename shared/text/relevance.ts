// Whether a passage is about a question at all. Errs on the side of "no": a wrong citation is worse than an honest gap.
import { bm25 } from "./bm25.ts";
import type { Passage } from "./passages.ts";
import { questionTerms, tokenize } from "./tokens.ts";

/**
 * The passages that share enough words with the question, best first. A question of one term needs it, of two both;
 * of more, six in ten, four at most. A term in the title counts once more.
 */
export function relevantPassages<P extends Passage>(question: string, passages: readonly P[]): P[] {
  const terms = questionTerms(question);
  if (terms.length === 0) return [];
  const needed = Math.min(4, Math.max(terms.length === 1 ? 1 : 2, Math.ceil(terms.length * 0.6)));
  const titles = passages.map((passage) => new Set(tokenize(passage.title)));
  const documents = passages.map((passage, index) => [...(titles[index] ?? []), ...tokenize(passage.text)]);
  const scores = bm25(terms, documents);
  return passages
    .map((passage, index) => {
      const words = new Set(documents[index]);
      const found = terms.filter((term) => words.has(term)).length;
      const inTitle = terms.filter((term) => titles[index]?.has(term)).length;
      return { passage, score: (scores[index] ?? 0) * (1 + inTitle / terms.length), enough: found + Math.min(inTitle, 1) >= needed && found > 0 };
    })
    .filter(({ enough }) => enough)
    .toSorted((a, b) => b.score - a.score)
    .map(({ passage }) => passage);
}
