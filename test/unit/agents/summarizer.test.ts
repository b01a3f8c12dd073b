import { expect, test } from "vitest";
import { atOnce } from "../../support/at-once.ts";
import { extractKeyPoints, writeKeyPoints } from "../../../workers/agents/summarizer/key-points.ts";

const passages = `[4] Iron
source: iron.md
Iron rusts in damp air. Painting keeps the water away from the iron.

[9] Bread
source: bread.md
Sourdough bread rises slowly in a cold kitchen.`;

test("points are sentences of the text with the number of their passage", () => {
  const points = atOnce(extractKeyPoints(passages, 2, "Why does iron rust?"));
  expect(points.map(({ number }) => number)).toEqual([4, 4].slice(0, points.length));
  expect(writeKeyPoints(points)).toContain("- Painting keeps the water away from the iron. [4]");
});

test("plain text needs no passages, and a focus it is not about changes nothing", () => {
  expect(atOnce(extractKeyPoints("Iron rusts in damp air, always.", 3))).toEqual([
    { text: "Iron rusts in damp air, always.", number: null },
  ]);
  expect(atOnce(extractKeyPoints(passages, 5, "volcanoes of Iceland")).length).toBeGreaterThan(1);
});

test("a text without sentences has no points", () => {
  expect(atOnce(extractKeyPoints("# Title", 5))).toEqual([]);
});
