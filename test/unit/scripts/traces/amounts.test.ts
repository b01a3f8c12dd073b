// Durations, tokens, costs and moments as people read them.
import { expect, test } from "vitest";

import { cost, count, duration, tokens, when } from "../../../../scripts/traces/amounts.ts";

test.each([
  [0, "0 µs"],
  [999, "999 µs"],
  [3_240, "3.2 ms"],
  [9_960, "10 ms"],
  [410_000, "410 ms"],
  [999_600, "1.00 s"],
  [1_240_000, "1.24 s"],
  [59_996_000, "1 min"],
  [125_000_000, "2 min 5 s"],
  [3_599_600_000, "1 h"],
  [11_520_000_000, "3 h 12 min"],
  [187_200_000_000, "2 d 4 h"],
  [-1_240_000, "-1.24 s"],
])("%d microseconds are %s", (us, text) => {
  expect(duration(us)).toBe(text);
});

test.each([
  [0, "0"],
  [820, "820"],
  [1_240, "1.2k"],
  [9_960, "10k"],
  [45_200, "45k"],
  [1_250_000, "1.3M"],
])("%d tokens are %s", (number, text) => {
  expect(tokens(number)).toBe(text);
});

test.each([
  [null, "-"],
  [0, "$0"],
  [0.000_02, "<$0.0001"],
  [0.012_34, "$0.0123"],
  [1.5, "$1.50"],
  [-0.25, "-$0.25"],
])("%s US dollars are %s", (usd, text) => {
  expect(cost(usd)).toBe(text);
});

test("a moment of the last hour is told by how long ago it was, an earlier one by date and time", () => {
  const now = new Date(2026, 2, 4, 12, 0, 0).getTime();
  expect(when(now - 12_000, now)).toBe("12 s ago");
  expect(when(now - 150_000, now)).toBe("2 min ago");
  expect(when(new Date(2026, 2, 4, 9, 5).getTime(), now)).toBe("2026-03-04 09:05");
  expect(when(new Date(2026, 2, 4, 13, 5).getTime(), now)).toBe("2026-03-04 13:05");
});

test("one is not many", () => {
  expect([count(1, "span"), count(0, "span"), count(1_200, "span")]).toEqual(["1 span", "0 spans", "1,200 spans"]);
});
