import { expect, test } from "vitest";
import { bm25, centrality, overlap, pickDiverse } from "#shared/retrieval/ranking.ts";
import { bestSentences, writeAnswer } from "#shared/retrieval/cite.ts";
import { relevantPassages } from "#shared/retrieval/relevance.ts";
import { splitSentences } from "#shared/retrieval/sentences.ts";
import { keyWords, questionTerms, tokenize } from "#shared/retrieval/tokens.ts";

test("an abbreviation or a number ends no sentence", () => {
  expect(splitSentences("Use it, e.g. Here. It costs 1.5 units. Done!")).toEqual([
    "Use it, e.g. Here.",
    "It costs 1.5 units.",
    "Done!",
  ]);
});

test("headings, code and tables are no sentences, and list items are", () => {
  expect(
    splitSentences(
      "# Title\n\nText over\ntwo lines.\n\n```\ncode. Here.\n```\n| a | b |\n- **Bold** item.\n- See [this](http://x).",
    ),
  ).toEqual(["Text over two lines.", "Bold item.", "See this."]);
});

test("a sentence may begin with code", () => {
  expect(splitSentences("It stays. `ctx.get()` returns it.")).toEqual(["It stays.", "ctx.get() returns it."]);
});

test("tokens are stems without stop words, and scripts without spaces become pairs", () => {
  expect(tokenize("The agents are searching")).toEqual(["agent", "search"]);
  expect(tokenize("東京都")).toEqual(["東京", "京都"]);
});

test.each([
  ["cafe\u0301", "caf\u00e9"],
  ["Königsbrücke", "KONIGSBRUCKE"],
  ["маяка", "маяк"],
  ["المكتبة", "مكتبه"],
  ["ｗｏｒｄ", "word"],
  ["1,000", "1000"],
])("%s and %s are one word", (one, other) => {
  expect(tokenize(one)).toEqual(tokenize(other));
});

test.each([
  ["仓库主管的名字是什么？", ["仓库", "主管", "名字"]],
  ["李明远", ["李明远"]],
  ["倉庫の責任者は誰ですか", ["倉庫", "責任", "者"]],
  ["ร้านกาแฟของสมชายอยู่ที่ไหน", ["ร้าน", "กาแฟ", "สมชาย", "ที่ไหน"]],
  ["창고 책임자는 누구입니까?", ["창고", "책임자는"]],
  ["Quand ferme le café de Zoé ?", ["ferme", "café", "de", "Zoé"]],
])("the key words of %s are told apart", (question, words) => {
  expect(keyWords(question)).toEqual(words);
});

test("the key words of a question leave out the asking", () => {
  expect(keyWords("Please explain how WebSocket hibernation works")).toEqual(["WebSocket", "hibernation"]);
  expect(questionTerms("tell me")).toEqual(["tell"]);
});

test("BM25 prefers the rare word and the shorter document", () => {
  const [rare, common, none] = bm25(["x", "y"], [["y", "a"], ["x", "a", "x"], ["a"], ["x", "b"]]);
  expect(rare).toBeGreaterThan(common ?? 0);
  expect(none).toBe(0);
  expect(bm25(["x"], [])).toEqual([]);
});

test("the sentence that shares most with the others is the most central", () => {
  expect(centrality([["a", "b"], ["a", "b", "c"], ["z"]])[2]).toBe(0);
});

test("a near copy is not picked twice", () => {
  const candidate = (words: string, relevance: number) => ({ tokens: new Set(words.split(" ")), relevance });
  expect(pickDiverse([candidate("a b c", 1), candidate("a b c", 0.9), candidate("d e", 0.2)], 3)).toEqual([0, 2]);
  expect(overlap(new Set(), new Set(["a"]))).toBe(0);
});

const passages = [
  {
    title: "Bread",
    source: "bread.md",
    text: "Sourdough bread rises slowly. It needs a starter that is fed with flour and water.",
  },
  { title: "Iron", source: "iron.md", text: "Iron rusts in damp air. Rust is iron oxide that flakes away." },
];

test("a passage that only shares one of two words is not relevant", () => {
  expect(relevantPassages("Who bakes sourdough bread in Mongolia?", passages)).toHaveLength(1);
  expect(relevantPassages("Does air have a capital?", passages)).toEqual([]);
  expect(relevantPassages("", passages)).toEqual([]);
});

test("an answer cites each source under one number and lists it", () => {
  const quotes = bestSentences("Why does iron rust?", relevantPassages("Why does iron rust?", passages), 2);
  expect(writeAnswer(quotes, ["(remark)"])).toBe(
    "Iron rusts in damp air. [1] Rust is iron oxide that flakes away. [1]\n\n(remark)\n\nSources:\n[1] iron.md",
  );
});
