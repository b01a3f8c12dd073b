import { expect, test } from "vitest";
import { mergeDecision, stateOf, type SpanState } from "../../../workers/control-plane/traces/rows/merge.ts";

const STATES: SpanState[] = ["open", "provisional", "ended"];

test("what has weight replaces what has less, and nothing else does", () => {
  const table = STATES.map((before) => STATES.map((incoming) => mergeDecision(before, incoming, () => false)));
  expect(table).toEqual([
    ["store", "store", "store"],
    ["keep", "keep", "store"],
    ["keep", "keep", "conflict"],
  ]);
});

test.for(STATES)("the same %s span again is kept", (state) => {
  expect(mergeDecision(state, state, () => true)).toBe("keep");
});

test("whether two are the same is asked only where it decides", () => {
  const ask = () => {
    throw new Error("It was asked.");
  };
  expect(mergeDecision("open", "ended", ask)).toBe("store");
  expect(mergeDecision("ended", "open", ask)).toBe("keep");
  expect(mergeDecision("provisional", "provisional", ask)).toBe("keep");
});

test("a span without end is open, even if it says that it is provisional", () => {
  expect(stateOf({ durationUs: -1, provisional: true })).toBe("open");
  expect(stateOf({ durationUs: 0, provisional: true })).toBe("provisional");
  expect(stateOf({ durationUs: 0, provisional: false })).toBe("ended");
});
