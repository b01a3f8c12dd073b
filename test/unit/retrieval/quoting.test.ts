import { expect, test } from "vitest";
import { bestSentences } from "#shared/retrieval/cite.ts";
import { relevantPassages } from "#shared/retrieval/relevance.ts";

const article = (title: string, text: string) => ({
  title,
  source: `${title.toLowerCase()}.md`,
  text: `# ${title}\n\n${text}`,
});
const quote = (question: string, passages: readonly ReturnType<typeof article>[], limit?: number) =>
  bestSentences(question, relevantPassages(question, passages), limit).map(({ text }) => text);

const iron = article(
  "Iron",
  "Iron is a metal. It rusts in damp air.\n\nPaint keeps the water away. Rails are made of steel, which is mostly iron.\n\n## Melting\n\nBoth kinds melt at 1538 degrees.",
);
const copper = article(
  "Copper",
  "Copper is a metal, too. It conducts electricity well.\n\nIn damp air it turns green, whereas iron rusts.",
);

test("a sentence that refers back brings the one before it", () => {
  expect(quote("How does iron rust?", [iron]).slice(0, 2)).toEqual(["Iron is a metal.", "It rusts in damp air."]);
});

test("a heading tells what the sentences below it are about, and nothing above it is needed", () => {
  expect(quote("At how many degrees is iron melting?", [iron])[0]).toBe("Both kinds melt at 1538 degrees.");
});

test("another source that only has the subject's name is not quoted", () => {
  const other = article("Paint", "Iron is often painted red. Dry paint for a day.");
  expect(quote("How does iron rust?", [iron, other]).join(" ")).not.toContain("red");
});

test("a comparison quotes both sides", () => {
  const sources = bestSentences(
    "Compare iron and copper",
    relevantPassages("Compare iron and copper", [iron, copper]),
  ).map(({ passage }) => passage.source);
  expect(new Set(sources)).toEqual(new Set(["iron.md", "copper.md"]));
});

test("a passage with the words of a name apart from each other is left out", () => {
  const named = article("Night Train", "The Night Train stores bicycles in the last coach.");
  const apart = article("Depot", "A train stores its coaches at night. Bicycles are left outside.");
  expect(relevantPassages("Where does the night train store bicycles?", [apart, named])).toEqual([named]);
});

test("at most as many sentences are quoted as were asked for", () => {
  expect(quote("iron", [iron, copper], 1)).toHaveLength(1);
  expect(quote("", [iron], 2)).toEqual([]);
  expect(bestSentences("", [iron], 2)).toHaveLength(2);
});

const filler = "filler ".repeat(200);

test("of an endless line the words around those that were asked for are quoted", () => {
  const passage = article("Gate", `${filler}the marzipan key opens the garden gate ${filler}`);
  const [first = ""] = quote("Which key opens the garden gate?", [passage]);
  expect(first).toContain("the marzipan key opens the garden gate");
  expect(first).toMatch(/^… .* …$/);
  expect(first.length).toBeLessThan(320);
});

test.each([
  ["a table", "| lamp | watts |\n| --- | --- |\n| reading lamp | 12 |"],
  ["code", "```\nconst lampWatts = 12; // reading lamp\n```"],
  ["a short note", "Reading lamp: 12"],
])("where there is no sentence to quote, %s is quoted as it is", (_, text) => {
  expect(quote("reading lamp", [article("Reading lamp", text)]).join(" ")).toContain("12");
});
