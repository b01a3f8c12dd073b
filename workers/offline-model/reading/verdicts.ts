// Reads the results of checking tools by claim, and sums them up. Expects a line `Verdict: …` and quotes `- “…” [n]`;
// other results count as quotes only.
import type { Quote } from "#shared/retrieval/cite.ts";
import type { Passage } from "#shared/retrieval/passages.ts";
import type { Call } from "./transcript.ts";

export interface Verdict {
  readonly claim: string;
  /** "supported", "not found", …; null without a verdict. */
  readonly verdict: string | null;
  /** Numbers of the quoted passages. */
  readonly numbers: readonly number[];
}

const VERDICT_LINE = /^Verdict: ([^(\n]+)/m;

/** One entry for each claim, in the order of the checks. Ignores failed calls. */
export function readVerdicts(calls: readonly Call[]): Verdict[] {
  const verdicts = new Map<string, Verdict>();
  for (const { input, result, isError } of calls) {
    const claim = ["claim", "statement", "assertion", "hypothesis"]
      .map((name) => input[name])
      .find((value) => typeof value === "string");
    if (claim === undefined || isError) continue;
    const before = verdicts.get(claim);
    const quotes = result
      .split("\n")
      .filter((line) => line.startsWith("- "))
      .join("\n");
    const numbers = [...quotes.matchAll(/\[(\d+)\]/g)].map(([, number]) => Number(number));
    verdicts.set(claim, {
      claim,
      verdict: VERDICT_LINE.exec(result)?.[1]?.trim() ?? before?.verdict ?? null,
      numbers: [...new Set([...(before?.numbers ?? []), ...numbers])],
    });
  }
  return [...verdicts.values()];
}

/** A summary, and for each claim its label and a quote of the first passage about it. */
export function writeVerdicts(
  verdicts: readonly Verdict[],
  passages: readonly Passage[],
): { summary: string; labels: string[]; quotes: Quote[] } {
  if (verdicts.length === 0) return { summary: "", labels: [], quotes: [] };
  const sourcesOf = ({ numbers }: Verdict) => new Set(numbers.flatMap((number) => passages[number - 1]?.source ?? []));
  const counts = new Map<string, number>();
  for (const { verdict } of verdicts) counts.set(verdict ?? "compared", (counts.get(verdict ?? "compared") ?? 0) + 1);
  const several = verdicts.filter((verdict) => sourcesOf(verdict).size > 1).length;
  const cited = verdicts.flatMap((verdict) => {
    const passage = verdict.numbers.map((number) => passages[number - 1]).find((found) => found !== undefined);
    return passage === undefined
      ? []
      : [{ label: verdict.verdict ?? "compared", quote: { text: `“${verdict.claim}”`, passage } }];
  });
  return {
    summary: `${verdicts.length} ${verdicts.length === 1 ? "claim" : "claims"} compared with the passages by word overlap: ${[...counts].map(([verdict, count]) => `${count} ${verdict}`).join(", ")}; ${several === 0 ? "none" : several} in more than one source.`,
    labels: cited.map(({ label }) => label),
    quotes: cited.map(({ quote }) => quote),
  };
}
