import { expect, test } from "vitest";
import { isTooDeep, MOST_JSON_DEPTH, parseJson } from "#shared/text/parse-json.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

test("JSON is read up to the depth that can be walked, and no deeper", () => {
  expect(parseJson(nested(MOST_JSON_DEPTH))).toBeInstanceOf(Array);
  expect(parseJson(nested(MOST_JSON_DEPTH + 1))).toBeUndefined();
  expect(parseJson(`{"a":`.repeat(1_000_000))).toBeUndefined();
});

test("brackets within strings, and many side by side, are no depth", () => {
  expect(isTooDeep(JSON.stringify({ [`["\\${"[".repeat(1000)}`]: '\\"{'.repeat(1000) }))).toBe(false);
  expect(isTooDeep(`[${"[],".repeat(10_000)}[]]`)).toBe(false);
});
