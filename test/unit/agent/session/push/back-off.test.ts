import { expect, test } from "vitest";
import { pauseAfter } from "#shared/agent/session/push/back-off.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

test("pauses grow threefold, up to two hours, and after the eighth attempt the event is given up", () => {
  const pauses = Array.from({ length: 8 }, (_, tries) => pauseAfter(tries + 1, 0, 0));
  expect(pauses).toEqual([10, 30, 90, 270, 810, 2_430, 7_200, undefined].map((s) => s && s * SECOND));
});

test("a receiver can ask for a longer pause, up to six hours, but not for a shorter one", () => {
  expect(pauseAfter(1, HOUR, 0)).toBe(HOUR);
  expect(pauseAfter(1, 100 * HOUR, 0)).toBe(6 * HOUR);
  expect(pauseAfter(3, SECOND, 0)).toBe(90 * SECOND);
});

test("attempts of many sessions are spread", () => {
  expect(pauseAfter(1, 0, 1)).toBe(12 * SECOND);
});
