import { expect, test } from "vitest";
import type { SpanRecord } from "../../../workers/control-plane/traces/otlp/span-record.ts";
import { RANK, rootAfter, TraceChange } from "../../../workers/control-plane/traces/rows/trace-change.ts";
import { spanRecord } from "../../support/span-record.ts";

const NONE = { spanId: "", rank: RANK.none, startUs: 0, traceStartUs: 0 };

test("a root that says so stays the root, whatever else comes later", () => {
  const before = { spanId: "root", rank: RANK.named, startUs: 50, traceStartUs: 50 };
  expect(rootAfter(before, changeOf({ spanId: "older", startUs: 1 }), () => undefined)).toBe(before);
});

test("of two that say so the earlier one is the root", () => {
  const before = { spanId: "root", rank: RANK.named, startUs: 50, traceStartUs: 50 };
  const change = changeOf({ spanId: "other", startUs: 49, traceKind: "query" });
  expect(rootAfter(before, change, () => undefined)).toMatchObject({ spanId: "other", rank: RANK.named });
});

test("without a root the way goes up from the earliest span as far as there are parents", () => {
  const parents = new Map([
    ["leaf", "middle"],
    ["middle", "top"],
    ["top", "away"],
  ]);
  const change = changeOf({ spanId: "leaf", parentId: "middle", startUs: 5 });
  expect(rootAfter(NONE, change, (id) => parents.get(id))).toMatchObject({ spanId: "top", rank: RANK.orphan });
});

test("the way up goes on from the root of the batch before", () => {
  const parents = new Map([
    ["top", "above"],
    ["above", "away"],
  ]);
  const before = { spanId: "top", rank: RANK.orphan, startUs: 5, traceStartUs: 3 };
  const asked: string[] = [];
  const root = rootAfter(before, changeOf({ spanId: "above", parentId: "away", startUs: 9 }), (id) => {
    asked.push(id);
    return parents.get(id);
  });
  expect(root).toMatchObject({ spanId: "above" });
  expect(asked).not.toContain("leaf");
});

test("a chain without end is climbed for a bounded number of steps", () => {
  let asked = 0;
  rootAfter(NONE, changeOf({ spanId: "0", parentId: "1" }), (id) => {
    asked += 1;
    return String(Number(id) + 1);
  });
  expect(asked).toBeLessThan(3000);
});

test("a span that replaces another takes its place in all counts", () => {
  const change = new TraceChange();
  const chat = { operation: "chat", inputTokens: 10, outputTokens: 2, cost: 0.5 };
  const open = spanRecord({ durationUs: -1, bytes: 100, ...chat });
  change.add(open, "a", undefined);
  change.add(spanRecord({ durationUs: 5, bytes: 300, status: 2, message: "no", ...chat }), "a", open);
  expect(change.counts).toEqual({
    spans: 1,
    openSpans: 0,
    errors: 1,
    modelCalls: 1,
    inputTokens: 10,
    outputTokens: 2,
    cost: 0.5,
    priced: 1,
    bytes: 300,
  });
  expect(change.messages).toEqual(["no"]);
});

function changeOf(parts: Partial<SpanRecord>): TraceChange {
  const change = new TraceChange();
  change.add(spanRecord({ parentId: "away", ...parts }), "agent", undefined);
  return change;
}
