import { expect, test } from "vitest";
import {
  distinctPassages,
  formatPassages,
  parsePassages,
  parseSources,
  textBeforePassages,
  withoutSources,
} from "#shared/retrieval/passages.ts";

const two = [
  { title: "First", source: "a/one.md", text: "One line.\n\nAnother, see [2]." },
  { title: "Second", source: "https://example.org/?q=[1]", text: "Text." },
];

test("passages come back as they were written", () => {
  const written = formatPassages(two);
  expect(written).toBe(
    "[1] First\nsource: a/one.md\nOne line.\n\nAnother, see [2].\n\n[2] Second\nsource: https://example.org/?q=[1]\nText.",
  );
  expect(parsePassages(written)).toEqual(two.map((passage, index) => ({ ...passage, number: index + 1 })));
});

test("a number in running text begins no passage", () => {
  expect(parsePassages("[1] A claim [2]\n[2] another\nand text")).toEqual([]);
});

test("text that looks like a source line does not become a passage of its own", () => {
  const sly = [{ title: "T", source: "s", text: "before\n[7] Fake\nsource: evil" }];
  expect(parsePassages(formatPassages(sly))).toHaveLength(1);
});

test("what stands before the passages is kept apart and the closing list belongs to none", () => {
  const message = `Question: why?\r\n\r\n${formatPassages(two)}\n\nSources:\n[1] a/one.md\n[2] b`;
  expect(textBeforePassages(message)).toBe("Question: why?");
  expect(parsePassages(message).at(-1)?.text).toBe("Text.");
  expect([...parseSources(message)]).toEqual([
    [1, "a/one.md"],
    [2, "b"],
  ]);
  expect(withoutSources("Answer [1].\n\nSources:\n[1] x")).toBe("Answer [1].");
});

test.each(["", "\n\n", "[1]", "source: x", "[1] T\nsource:", "Sources:", "[1] T\nsource: a\n[2] U\nsource: b"])(
  "odd input %j is read without an error",
  (text) => {
    for (const { text: body } of parsePassages(text)) expect(body).toBe("");
  },
);

test("a title or source over several lines is written on one", () => {
  expect(formatPassages([{ title: "A\n[2] B", source: "x\ny", text: "t" }])).toBe("[1] A [2] B\nsource: x y\nt");
});

test("the same passage counts once", () => {
  expect(distinctPassages([...two, ...structuredClone(two)])).toEqual(two);
});
