// The fact checker's own tools.
import * as z from "zod";
import { defineTool } from "#shared/loop/tools/tool.ts";
import { withPauses } from "#shared/text/slices.ts";
import { findEvidence, judge, type Evidence } from "./compare.ts";

const LIMITS =
  "Checked by comparing words, numbers and negations; this says whether the texts agree, not whether they are true.";

export const verifyClaim = defineTool({
  name: "verify_claim",
  description:
    "Compares one claim with evidence, word by word: supported, disputed, contradicted (numbers or a negation differ), partly supported, or not found, with the sentences that it rests on. It knows nothing but the evidence given and cannot judge paraphrases: read the quotes yourself.",
  input: z.object({
    claim: z.string().min(1).describe("One statement, as a full sentence."),
    evidence: z.string().min(1).describe("Text, or passages in the form `[n] Title`, `source: …`, text."),
  }),
  annotations: { readOnly: true, idempotent: true },
  async run({ claim, evidence }) {
    const found = await withPauses(findEvidence(claim, evidence));
    const best = found[0] === undefined ? "" : ` (best word overlap ${Math.round(found[0].overlap * 100)}%)`;
    return [`Verdict: ${judge(found)}${best}`, `Claim: ${claim}`, ...found.map(writeQuote), LIMITS].join("\n");
  },
});

export const findSources = defineTool({
  name: "find_sources",
  description:
    "Finds the sentences of a text, with their sources, that speak about a claim, whether they agree or not. Use it to see how many sources bear on a claim before you judge it.",
  input: z.object({
    claim: z.string().min(1).describe("One statement, as a full sentence."),
    text: z.string().min(1).describe("Text, or passages in the form `[n] Title`, `source: …`, text."),
  }),
  annotations: { readOnly: true, idempotent: true },
  async run({ claim, text }) {
    const found = await withPauses(findEvidence(claim, text, 8));
    if (found.length === 0) return `No sentence of the text speaks about the claim: ${claim}`;
    const sources = new Set(found.map(({ source }) => source)).size;
    return [
      `${found.length} ${found.length === 1 ? "sentence" : "sentences"} in ${sources} ${sources === 1 ? "source" : "sources"}:`,
      ...found.map(writeQuote),
    ].join("\n");
  },
});

function writeQuote({ quote, number, source, overlap, conflict }: Evidence): string {
  const origin = number === null ? "" : ` [${number}] ${source}`;
  const remark = conflict === null ? "" : `, ${conflict === "numbers" ? "other numbers" : "negated differently"}`;
  return `- “${quote}”${origin} (${Math.round(overlap * 100)}%${remark})`;
}
