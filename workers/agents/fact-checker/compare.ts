// Compares a claim with text by words, numbers and negations. Finds agreement of wording, not truth. Pure.
import { neighbourhoods } from "#shared/retrieval/neighbourhood.ts";
import { parsePassages } from "#shared/retrieval/passages.ts";
import { LONGEST_QUOTE } from "#shared/retrieval/sentence-scores.ts";
import { proseSlices, splitSentences } from "#shared/retrieval/sentences.ts";
import { tokenize } from "#shared/retrieval/tokens.ts";
import { SLICE_CHARS } from "#shared/text/slices.ts";

export interface Evidence {
  /** One sentence, word for word. */
  readonly quote: string;
  /** Number and source of its passage; null when the text has no passages. */
  readonly number: number | null;
  readonly source: string | null;
  /** Share of the claim's content words that the sentence has: 0 to 1. */
  readonly overlap: number;
  /** The difference between similar sentences; null for none. */
  readonly conflict: "numbers" | "negation" | null;
}

export type Verdict = "supported" | "disputed" | "contradicted" | "partly supported" | "not found";

/** Characters read of a claim. */
const LONGEST_CLAIM = 4_000;
const SUPPORTS = 0.7;
const TOUCHES = 0.5;
/** Overlap from which a difference in numbers or negation counts. */
const SAME_SUBJECT = 0.6;
const NEGATION = /\b(?:not|no|never|none|neither|nor|cannot|without|nothing|lacks?)\b|n['’]t\b/gi;
const NUMBER = /(?<![\p{L}\d])\d+(?:[.,]\d+)*/gu;

/** Sentences that share at least half of the claim's words, best first, at most `limit`. Yields after each slice of the text. */
export function* findEvidence(claim: string, text: string, limit = 5): Generator<undefined, Evidence[]> {
  const claimed = readClaim(claim.slice(0, LONGEST_CLAIM));
  if (claimed.wanted.size === 0) return [];
  const passages = parsePassages(text);
  yield;
  const units = passages.length > 0 ? passages : [{ number: null, source: null, text }];
  let best: Evidence[] = [];
  let read = 0;
  for (const unit of units) {
    for (const slice of proseSlices(unit.text)) {
      best = [...best, ...evidenceIn(claimed, { ...unit, text: slice })]
        .toSorted((a, b) => b.overlap - a.overlap)
        .slice(0, limit);
      read += slice.length;
      if (read >= SLICE_CHARS / 2) {
        read = 0;
        yield;
      }
    }
  }
  return best;
}

/** The sentences of a passage that share at least half of the claim's words, in order. */
function evidenceIn(
  claimed: Claim,
  { number, source, text }: Pick<Evidence, "number" | "source"> & { readonly text: string },
): Evidence[] {
  const { wanted } = claimed;
  return splitSentences(text)
    .flatMap((sentence) => (sentence.length > LONGEST_QUOTE ? neighbourhoods(sentence, wanted) : [sentence]))
    .map((quote): Evidence => {
      const words = new Set(tokenize(quote));
      const shared = [...wanted].filter((word) => words.has(word)).length;
      const overlap = shared / wanted.size;
      // In a sentence that says more, a "not" may belong to the rest.
      const saysOnlyThis = shared / words.size >= SAME_SUBJECT;
      const conflict = overlap >= SAME_SUBJECT ? conflictOf(claimed, quote, saysOnlyThis) : null;
      return { quote, number, source, overlap, conflict };
    })
    .filter(({ overlap }) => overlap >= TOUCHES);
}

/** `disputed`: one sentence agrees, another similar one differs in a number or a negation. */
export function judge(evidence: readonly Evidence[]): Verdict {
  const agrees = evidence.some(({ overlap, conflict }) => overlap >= SUPPORTS && conflict === null);
  const differs = evidence.some(({ conflict }) => conflict !== null);
  if (agrees) return differs ? "disputed" : "supported";
  if (differs) return "contradicted";
  return evidence.length > 0 ? "partly supported" : "not found";
}

interface Claim {
  readonly wanted: ReadonlySet<string>;
  readonly numbers: readonly number[];
  readonly negations: number;
}

/** Reads the claim once for all sentences. */
function readClaim(claim: string): Claim {
  return { wanted: new Set(tokenize(claim)), numbers: numbersOf(claim), negations: negations(claim) };
}

/** Numbers conflict when both have numbers and the sentence lacks one of the claim's. */
function conflictOf(claim: Claim, sentence: string, saysOnlyThis: boolean): Evidence["conflict"] {
  const stated = new Set(numbersOf(sentence));
  if (stated.size > 0 && claim.numbers.some((number) => !stated.has(number))) return "numbers";
  return saysOnlyThis && claim.negations % 2 !== negations(sentence) % 2 ? "negation" : null;
}

/** Numbers as values: 1,000 and 1000 are equal. A comma before three digits separates thousands. */
function numbersOf(text: string): number[] {
  return [...text.matchAll(NUMBER)].map(([number]) => Number(number.replace(/,(?=\d{3})/g, "").replace(",", ".")));
}

function negations(text: string): number {
  return text.match(NEGATION)?.length ?? 0;
}
