// Which name counts as near.
import { expect, test } from "vitest";

import { editDistance, nearest, suggest } from "#shared/text/nearest.ts";

test.each([
  ["two letters swapped count once", "saercher", "searcher", 1],
  ["a letter too few counts once", "seacher", "searcher", 1],
  ["nothing in common counts every letter", "abc", "xyz", 3],
  ["the empty name is as far as the other is long", "", "abc", 3],
])("%s", (_, a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
});
test("case and - for _ cost nothing", () => {
  expect(nearest("Fact-Checker", ["summarizer", "fact_checker"])).toBe("fact_checker");
});
test("what is far from everything has no nearest name, but is told what there is", () => {
  expect(nearest("dashboard", ["searcher", "hub"])).toBeUndefined();
  expect(suggest("dashboard", ["searcher", "hub"])).toBe("There is: searcher, hub.");
});
test("a name of a million letters is answered at once", () => {
  expect(nearest("x".repeat(1_000_000), ["searcher"])).toBeUndefined();
});
