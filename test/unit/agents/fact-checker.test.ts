import { expect, test } from "vitest";
import { atOnce } from "../../support/at-once.ts";
import { findEvidence, judge } from "../../../workers/agents/fact-checker/compare.ts";

const passages = `[1] KV
source: kv.md
KV is eventually consistent. A value may be up to 25 MiB large.

[2] R2
source: r2.md
R2 is strongly consistent and charges nothing for egress.`;

const verdict = (claim: string, evidence = passages) => judge(atOnce(findEvidence(claim, evidence)));

test.each([
  ["KV is eventually consistent.", "supported"],
  ["KV is not eventually consistent.", "contradicted"],
  ["A KV value may be up to 30 MiB large.", "contradicted"],
  ["R2 is strongly consistent, fast and global.", "partly supported"],
  ["Queues deliver at least once.", "not found"],
  ["The of and.", "not found"],
])("%j is judged %s", (claim, expected) => {
  expect(verdict(claim)).toBe(expected);
});

test("two texts that differ in a number make the claim disputed", () => {
  expect(verdict("The limit is 1,000 rows.", "The limit is 1000 rows. The limit is 500 rows.")).toBe("disputed");
});

test("quotes are word for word and carry their source", () => {
  expect(atOnce(findEvidence("KV is eventually consistent.", passages))[0]).toEqual({
    quote: "KV is eventually consistent.",
    number: 1,
    source: "kv.md",
    overlap: 1,
    conflict: null,
  });
});
