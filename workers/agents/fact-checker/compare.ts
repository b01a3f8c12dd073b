// Holds a claim against text by comparing words, numbers and negations. It finds agreement of wording, not truth. Pure.
import { parsePassages } from "#shared/text/passages.ts";
import { splitSentences } from "#shared/text/sentences.ts";
import { tokenize } from "#shared/text/tokens.ts";

export interface Evidence {
  /** One sentence, word for word. */
  readonly quote: string;
  /** Number and source of its passage; null when the text has no passages. */
  readonly number: number | null;
  readonly source: string | null;
  /** Share of the claim's content words that the sentence has: 0 to 1. */
  readonly overlap: number;
  /** What speaks against agreement although the words are alike. */
  readonly conflict: "numbers" | "negation" | null;
}

export type Verdict = "supported" | "disputed" | "contradicted" | "partly supported" | "not found";

const SUPPORTS = 0.7;
const TOUCHES = 0.5;
/** Words this alike make a difference in numbers or negation tell. */
const SAME_SUBJECT = 0.6;
const NEGATION = /\b(?:not|no|never|none|neither|nor|cannot|without|nothing|lacks?)\b|n['’]t\b/gi;
const NUMBER = /(?<![\p{L}\d])\d+(?:[.,]\d+)*/gu;

/** Sentences that share at least half of the claim's words, best first, at most `limit`. */
export function findEvidence(claim: string, text: string, limit = 5): Evidence[] {
  const wanted = new Set(tokenize(claim));
  if (wanted.size === 0) return [];
  const passages = parsePassages(text);
  const units = passages.length > 0 ? passages : [{ number: null, source: null, text }];
  return units
    .flatMap(({ number, source, text: body }) => splitSentences(body).map((quote) => ({ quote, number, source })))
    .map((sentence): Evidence => {
      const words = new Set(tokenize(sentence.quote));
      const shared = [...wanted].filter((word) => words.has(word)).length;
      const overlap = shared / wanted.size;
      // In a sentence that says much else, a "not" may belong to the rest.
      const saysOnlyThis = shared / words.size >= SAME_SUBJECT;
      return {
        ...sentence,
        overlap,
        conflict: overlap >= SAME_SUBJECT ? conflictOf(claim, sentence.quote, saysOnlyThis) : null,
      };
    })
    .filter(({ overlap }) => overlap >= TOUCHES)
    .toSorted((a, b) => b.overlap - a.overlap)
    .slice(0, limit);
}

/** `disputed`: one sentence agrees while another, as alike, differs in a number or a negation. */
export function judge(evidence: readonly Evidence[]): Verdict {
  const agrees = evidence.some(({ overlap, conflict }) => overlap >= SUPPORTS && conflict === null);
  const differs = evidence.some(({ conflict }) => conflict !== null);
  if (agrees) return differs ? "disputed" : "supported";
  if (differs) return "contradicted";
  return evidence.length > 0 ? "partly supported" : "not found";
}

/** Numbers conflict when both have some and the sentence lacks one of the claim's. */
function conflictOf(claim: string, sentence: string, saysOnlyThis: boolean): Evidence["conflict"] {
  const claimed = numbersOf(claim);
  const stated = new Set(numbersOf(sentence));
  if (claimed.length > 0 && stated.size > 0 && claimed.some((number) => !stated.has(number))) return "numbers";
  return saysOnlyThis && negations(claim) % 2 !== negations(sentence) % 2 ? "negation" : null;
}

/** Values, so that 1,000 and 1000 are the same; a comma before three digits is a thousands mark. */
function numbersOf(text: string): number[] {
  return [...text.matchAll(NUMBER)].map(([number]) => Number(number.replace(/,(?=\d{3})/g, "").replace(",", ".")));
}

function negations(text: string): number {
  return text.match(NEGATION)?.length ?? 0;
}
