// What was waited for: the definition of the critical path, case by case.
import { describe, expect, test } from "vitest";

import { criticalPath, waitsOf } from "../../../../scripts/traces/critical-path.ts";
import type { Span } from "../../../../scripts/traces/span.ts";
import { buildTree } from "../../../../scripts/traces/tree.ts";
import { question, span, START_US, summary } from "./made-up.ts";

/** Each piece as `name from-to`, in milliseconds. */
function pathOf(spans: readonly Span[], nowMs = 0): string[] {
  return criticalOf(spans, nowMs).segments.map(({ span, fromUs, toUs }) => {
    const ms = (us: number): number => (us - START_US) / 1_000;
    return `${span.name} ${ms(fromUs)}-${ms(toUs)}`;
  });
}

function criticalOf(spans: readonly Span[], nowMs = 0) {
  const [root] = buildTree(spans, summary()).roots;
  if (root === undefined) throw new Error("There is no root");
  return criticalPath(root, START_US + nowMs * 1_000);
}

function family(...children: readonly (readonly [name: string, startMs: number, durationMs: number | null])[]): Span[] {
  const root = span("root", 0, 100);
  return [root, ...children.map(([name, start, took]) => span(name, start, took, { parentId: root.spanId }))];
}

const CASES: readonly (readonly [rule: string, spans: Span[], path: string[]])[] = [
  ["a span alone is its own path", family(), ["root 0-100"]],
  [
    "children one after the other are all on it, and the time between is the parent's",
    family(["a", 10, 20], ["b", 40, 50]),
    ["root 0-10", "a 10-30", "root 30-40", "b 40-90", "root 90-100"],
  ],
  [
    "of children side by side the one that ends last is on it",
    family(["short", 10, 30], ["long", 10, 80]),
    ["root 0-10", "long 10-90", "root 90-100"],
  ],
  [
    "a child that ended before the last one began is on it, one that ended later is not",
    family(["before", 0, 20], ["beside", 10, 30], ["last", 20, 80]),
    ["before 0-20", "last 20-100"],
  ],
  [
    "a child whose clock runs ahead counts only within its parent",
    family(["ahead", 90, 50]),
    ["root 0-90", "ahead 90-100"],
  ],
  ["a child whose clock runs behind does so too", family(["behind", -50, 70]), ["behind 0-20", "root 20-100"]],
  ["a child wholly outside is not on it", family(["elsewhere", 200, 50]), ["root 0-100"]],
  ["a child without duration is not on it", family(["instant", 50, 0]), ["root 0-100"]],
];

test.each(CASES)("%s", (_, spans, path) => {
  expect(pathOf(spans)).toEqual(path);
});

test("what is open ends now", () => {
  const root = span("root", 0, null);
  const open = span("open", 40, null, { parentId: root.spanId });
  expect(pathOf([root, open], 70)).toEqual(["root 0-40", "open 40-70"]);
});

describe("the path of a question that a peer helped with", () => {
  const spans = question();
  const path = criticalOf(spans);

  test("leads through the peer's model and is as long as the question", () => {
    expect(path.segments.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0)).toBe(1_000_000);
    expect(path.spans.size).toBe(spans.length);
  });
  test("tells model, tools, peers and agents apart", () => {
    expect(waitsOf(path)).toEqual({ approvals: 0, model: 920_000, tools: 10_000, peers: 20_000, own: 50_000 });
  });
});

test("it is found through ten thousand spans, side by side or within each other", () => {
  const root = span("root", 0, 10_000);
  const wide = [root];
  for (let ms = 0; ms < 10_000; ms++) wide.push(span("w", ms, 1, { parentId: root.spanId }));
  expect(criticalOf(wide).segments).toHaveLength(10_000);
  const deep = [span("root", 0, 20_000)];
  for (let ms = 1; ms < 10_000; ms++)
    deep.push(span("d", ms, 20_000 - 2 * ms, { parentId: deep.at(-1)?.spanId ?? "" }));
  expect(criticalOf(deep).segments).toHaveLength(19_999);
});
