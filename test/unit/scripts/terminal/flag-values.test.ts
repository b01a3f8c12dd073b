// Values of flags: what they may be, and what is said of others.
import { expect, test } from "vitest";

import { timeOf, wholeNumber } from "../../../../scripts/terminal/flag-values.ts";
import { agoOf } from "../../../../scripts/traces/options.ts";

const NO_TIME = "--t takes a number and a unit, such as 2s, 90m or 7d, not";

test.each([
  ["1.5s", 1_500],
  ["0s", 0],
  ["36500d", 3_153_600_000_000],
])("%s is a time", (text, ms) => {
  expect(timeOf(text, "--t")).toBe(ms);
});

test.each(["", "5", "-5s", "NaN", "1e3s", "5 m", "0x5s", "Infinitys", "5s5", "٥s"])("%j is no time", (text) => {
  expect(() => timeOf(text, "--t")).toThrow(`${NO_TIME} "${text}".`);
});

test("a time is bounded, so that a timer can wait for it and a date can be that long ago", () => {
  expect(() => timeOf("0ms", "--t", { least: 1 })).toThrow('--t takes a time above zero, not "0ms".');
  expect(() => timeOf("25d", "--t", { most: 24 * 86_400_000 })).toThrow('--t takes 24d at most, not "25d".');
  expect(() => timeOf(`${"9".repeat(400)}d`, "--t")).toThrow("--t takes 36500d at most");
  expect(agoOf("36500d", "--t").toISOString()).toMatch(/^19\d\d-/);
});

test.each(["", " ", "-1", "1.5", "1e3", "0x10", "NaN", "101", "9".repeat(400)])("%j is no number to 100", (text) => {
  expect(wholeNumber("100", "--n", 0, 100)).toBe(100);
  expect(() => wholeNumber(text, "--n", 0, 100)).toThrow(`--n takes a whole number from 0 to 100, not "${text}".`);
});
