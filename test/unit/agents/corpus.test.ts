import { expect, test } from "vitest";
import { corpus } from "../offline-model/team.ts";

test("the default corpus has thirty short articles with titles of their own", () => {
  expect(corpus).toHaveLength(30);
  expect(new Set(corpus.map(({ title }) => title)).size).toBe(30);
  for (const { title, text } of corpus) {
    expect(title).not.toBe("");
    const words = text.split(/\s+/).length;
    expect(words).toBeGreaterThan(150);
    expect(words).toBeLessThan(350);
  }
});
