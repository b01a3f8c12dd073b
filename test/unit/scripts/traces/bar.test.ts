// Bars on the time axis of a trace.
import { describe, expect, test } from "vitest";

import { bar, scale } from "../../../../scripts/traces/draw/bar.ts";
import { span } from "./made-up.ts";

const AXIS = { fromUs: 1_000, toUs: 2_000, width: 10 };
const own = (fromUs: number, toUs: number) => ({ span: span("x", 0, 1), fromUs, toUs });

test.each([
  ["a span lies where its time lies", 1_200, 1_500, [], "  ▒▒▒     "],
  ["own time is solid, to the very beginning and end", 1_250, 1_550, [own(1_250, 1_550)], "  ████    "],
  ["only the own part of it is", 1_200, 1_800, [own(1_200, 1_400), own(1_700, 1_800)], "  ██▒▒▒█  "],
  ["own time of less than half a column does not show", 1_000, 2_000, [own(1_000, 1_030)], "▒▒▒▒▒▒▒▒▒▒"],
  ["the shortest span has a column", 1_500, 1_500, [], "     ▒    "],
  ["a short one with time of its own has it solid", 1_500, 1_501, [own(1_500, 1_501)], "     █    "],
  ["at the very end too", 2_000, 2_000, [], "         ▒"],
  ["what lies outside is put to the edge", 0, 500, [], "▒         "],
])("%s", (_, fromUs, toUs, segments, drawn) => {
  expect(bar(fromUs, toUs, segments, AXIS)).toBe(drawn);
});

test("an axis without length has bars all the same", () => {
  expect(bar(5, 5, [], { fromUs: 5, toUs: 5, width: 3 })).toBe("▒  ");
});

describe("the scale", () => {
  test("begins at 0 and ends with the length, where there is room", () => {
    expect(scale(10, "1.24 s")).toBe("0   1.24 s");
    expect(scale(8, "1.24 s")).toBe("  1.24 s");
    expect(scale(3, "1.24 s")).toHaveLength(3);
  });
});
