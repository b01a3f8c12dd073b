// Text in columns: what is wide, what is cut, and what never reaches a terminal.
import { describe, expect, test } from "vitest";

import {
  cutTo,
  cutMiddle,
  fill,
  manyLines,
  oneLine,
  widthOf,
  wrap,
} from "../../../../scripts/terminal/terminal-text.ts";

test.each([
  ["plain", 5],
  ["naïve", 5],
  ["e\u0301", 1],
  ["検索", 4],
  ["한글", 4],
  ["👩‍👩‍👧", 2],
  ["🇩🇪", 2],
  ["→ ●│█", 5],
  ["", 0],
])("%s takes %d columns", (text, width) => {
  expect(widthOf(text)).toBe(width);
});

test.each([
  ["searcher", 8, "searcher"],
  ["searcher", 5, "sear…"],
  ["検索する", 8, "検索する"],
  ["検索する", 7, "検索す…"],
  ["検索する", 6, "検索…"],
  ["e\u0301a\u0300", 1, "…"],
  ["any", 0, ""],
])("%s in %d columns is %s", (text, width, shown) => {
  expect(cutTo(text, width)).toBe(shown);
});

test.each([
  ["searcher", 8, "searcher"],
  ["execute_tool web_search", 12, "exe…b_search"],
  ["検索する長い名前", 16, "検索する長い名前"],
  ["検索する長い名前", 10, "検…い名前"],
  ["any", 2, "a…"],
  ["any", 0, ""],
])("%s in %d columns without its middle is %s", (text, width, shown) => {
  expect(cutMiddle(text, width)).toBe(shown);
});

test.each(["x".repeat(600_000), "検".repeat(200_000), "👩‍👩‍👧".repeat(50_000), "e\u0301".repeat(200_000)])(
  "text of any length and script fits without its middle (%#)",
  (text) => {
    for (const width of [4, 5, 20]) expect(widthOf(cutMiddle(text, width))).toBeLessThanOrEqual(width);
  },
);

test("text is filled up to a width, by columns and not by characters", () => {
  expect(fill("検索", 6)).toBe("検索  ");
  expect(fill("12", 4, "right")).toBe("  12");
  expect(fill("longer", 4)).toBe("longer");
});

test("parts go on as few lines as they fit", () => {
  expect(wrap(["one", "two", "three"], " · ", 9)).toEqual(["one · two", "three"]);
  expect(wrap(["much too long"], " ", 6)).toEqual(["much …"]);
});

describe("foreign text", () => {
  const evil = "a\u001b[2Jb\u0007c\u009b31md\u202eefg\r\nh";

  test("on one line has neither control characters nor changes of direction", () => {
    expect(oneLine(evil)).toBe("a [2Jb c 31mdefg h");
  });
  test("on many keeps its lines, and nothing else that moves the cursor", () => {
    expect(manyLines(`${evil}\n\ti`)).toBe("a [2Jb c 31mdefg\nh\n    i");
  });
});
