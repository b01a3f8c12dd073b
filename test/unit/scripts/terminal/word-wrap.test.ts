// Text that streams into a terminal breaks between words, however it is cut into pieces.
import { describe, expect, test } from "vitest";

import { WordWrap } from "../../../../scripts/terminal/word-wrap.ts";

function wrapped(pieces: Iterable<string>, width = 10): string {
  const wrap = new WordWrap(() => width);
  return [...pieces].map((piece) => wrap.take(piece)).join("") + wrap.end();
}

describe.each([
  ["a line that fits", "one two", "one two"],
  ["words that do not fit", "one two three four", "one two\nthree four"],
  ["a word that just fits", "one two 34 five", "one two 34\nfive"],
  ["a word that is wider than the screen", "an extraordinary day", "an\nextraordinary\nday"],
  ["wide characters", "検索 検索 する", "検索 検索\nする"],
  ["its own lines", "one\n\ntwo three\nfour five", "one\n\ntwo three\nfour five"],
  ["several spaces", "one   two    three", "one   two\nthree"],
  ["what is indented", "  one two three four", "  one two three four"],
  ["a table", "| one | two | three |", "| one | two | three |"],
  ["code", "```\none two three four\n```\none two three", "```\none two three four\n```\none two\nthree"],
  ["spaces at its end", "one  ", "one  "],
])("%s", (_, text, shown) => {
  test("whole", () => {
    expect(wrapped([text])).toBe(shown);
  });
  test("a character at a time", () => {
    expect(wrapped(text)).toBe(shown);
  });
});

test("the width is that of the window as it is", () => {
  let width = 20;
  const wrap = new WordWrap(() => width);
  const first = wrap.take("one two three four\n");
  width = 8;
  expect(first + wrap.take("one two three") + wrap.end()).toBe("one two three four\none two\nthree");
});
