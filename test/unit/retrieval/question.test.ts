import { expect, test } from "vitest";
import { readQuestion, titleTokens } from "#shared/retrieval/question.ts";

const titles = ["Cloudflare Durable Objects", "R2 object storage"];
const units = (question: string, more: readonly string[] = titles) =>
  readQuestion(question, more).units.map(({ stems, focus }) => `${stems.join(" ")}${focus ? "!" : ""}`);

test("words that follow each other in a title are one name, whatever their case", () => {
  expect(units("how do durable objects store data?")).toEqual(["durabl object!", "store", "data"]);
  expect(units("Which objects are durable?")).toEqual(["object!", "durabl!"]);
});

test("a name needs no title when it is written as one", () => {
  expect(units("Who runs Brightwater Boats?", [])).toEqual(["run", "brightwat boat!"]);
});

test("headings bind a name without making it the subject", () => {
  expect(readQuestion("parental leave", [], ["Parental leave"]).units).toMatchObject([
    { stems: ["parent", "leav"], focus: false },
  ]);
});

test("a title may be asked for by its initials", () => {
  expect(titleTokens("The Model Context Protocol")).toContain("mcp");
});

test("of an earlier question only the subject keeps its weight", () => {
  const { units: all } = readQuestion("How long? (follow-up to: How do Durable Objects store data?)", titles);
  expect(all.map(({ stems, weight }) => [stems.join(" "), weight])).toEqual([
    ["durabl object", 2],
    ["store", 0.4],
    ["data", 0.4],
  ]);
});

test.each([
  ["What is R2?", "definition"],
  ["R2", "definition"],
  ["How does R2 work?", "overview"],
  ["How large can a bucket be?", "quantity"],
  ["When was R2 announced?", "date"],
  ["Why is R2 cheap?", "reason"],
  ["What is the difference between R2 and KV?", "comparison"],
  ["Which methods does R2 have?", "other"],
])("%j asks for a %s", (question, kind) => {
  expect(readQuestion(question, titles).kind).toBe(kind);
});
