// Long texts are read in slices, so that others have the loop meanwhile.
import { expect, test } from "vitest";
import { SLICE_CHARS, slicesOf, withPauses } from "#shared/text/slices.ts";
import { atOnce } from "../../support/at-once.ts";
import { readArticle } from "#shared/tools/readable.ts";
import { findEvidence } from "../../../workers/agents/fact-checker/compare.ts";
import { readDocument } from "../../../workers/agents/searcher/document.ts";
import { extractKeyPoints } from "../../../workers/agents/summarizer/key-points.ts";

const LONG = 600_000;
const SENTENCE = "Iron rusts because water and oxygen attack its surface together. ";
/** Filler with one sentence about rust in its middle. */
const HAYSTACK = `${"The weather was mild on most days of that year. ".repeat(LONG / 100)}\n\n${SENTENCE}\n\n${"Nobody counted the birds over the lake. ".repeat(LONG / 80)}`;

test.each([
  ["lines", "some words\n".repeat(20_000)],
  ["paragraphs", `${"word ".repeat(5_000)}\n\n`.repeat(8)],
  ["one word", "a".repeat(3 * SLICE_CHARS + 1)],
  ["pairs of surrogates", `a${"😀".repeat(SLICE_CHARS)}`],
  ["a short text", "short"],
  ["nothing", ""],
])("slices of %s make up the text, and none is too long", (_, text) => {
  const slices = slicesOf(text);
  expect(slices.join("")).toBe(text);
  expect(Math.max(...slices.map((slice) => slice.length))).toBeLessThanOrEqual(SLICE_CHARS);
  expect(slices.every((slice) => slice.isWellFormed())).toBe(true);
});

test.each<[string, () => Generator<undefined, unknown>]>([
  ["a claim and its evidence", () => findEvidence("Iron rusts in water.", HAYSTACK)],
  ["key points", () => extractKeyPoints(HAYSTACK, 5, "Why does iron rust?")],
  ["a page", () => readArticle(`<p>${HAYSTACK}</p>`.repeat(2).replaceAll(". ", ".<br>"))],
  ["a document", () => readDocument({ path: "a", type: "html", text: HAYSTACK.replaceAll(". ", ".<br>") })],
])("while %s is read, others have their turns", async (_, work) => {
  let turns = 0;
  const other = setInterval(() => turns++, 0);
  await withPauses(work());
  clearInterval(other);
  expect(turns).toBeGreaterThan(5);
});

test("evidence is found in every slice of a text", () => {
  const [best] = atOnce(findEvidence("Iron rusts because water and oxygen attack its surface.", HAYSTACK));
  expect(best?.quote).toBe(SENTENCE.trim());
});

test("a code block that is cut hides no text behind it", () => {
  const block = `\`\`\`\n${"let x = 1;\n\n".repeat(4_000)}\`\`\`\n\n`;
  const [best] = atOnce(findEvidence("Iron rusts because water and oxygen attack its surface.", `${block}${SENTENCE}`));
  expect(best?.quote).toBe(SENTENCE.trim());
});

test("key points are found in every slice of a text, and keep the numbers of their passages", () => {
  expect(atOnce(extractKeyPoints(HAYSTACK, 3, "Why does iron rust?")).map(({ text }) => text)).toContain(
    SENTENCE.trim(),
  );
  const passages = `[1] Weather\nsource: weather.md\n${"It was mild on most days of that year. ".repeat(5_000)}\n\n[2] Iron\nsource: iron.md\n${SENTENCE}`;
  expect(atOnce(extractKeyPoints(passages, 3, "Why does iron rust?"))).toContainEqual({
    text: SENTENCE.trim(),
    number: 2,
  });
  expect(atOnce(extractKeyPoints(passages, 3, "volcanoes of Iceland")).length).toBeGreaterThan(0);
});
