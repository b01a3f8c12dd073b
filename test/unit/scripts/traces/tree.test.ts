// From spans to the tree that they are, whatever comes.
import { describe, expect, test } from "vitest";

import type { Span } from "../../../../scripts/traces/span.ts";
import { buildTree, labelOf, type TraceTree, walk } from "../../../../scripts/traces/tree.ts";
import { question, span, summary } from "./made-up.ts";

const ROOT = { name: "SendMessage", agent: "coordinator" };

function outline({ roots, orphans }: TraceTree) {
  const lines = (tops: TraceTree["roots"]) =>
    [...walk(tops)].map(({ node, depth }) => `${"  ".repeat(depth)}${labelOf(node)}`);
  return { roots: lines(roots), orphans: lines(orphans) };
}

describe("a tree", () => {
  test("has children in the order of their beginnings, and calls to peers by who asks whom", () => {
    expect(outline(buildTree(question().toReversed(), summary()))).toEqual({
      roots: [
        "SendMessage",
        "  invoke_agent coordinator",
        "    chat claude",
        "    execute_tool query_agent",
        "      coordinator → searcher",
        "        SendStreamingMessage",
        "          invoke_agent searcher",
        "            chat claude",
        "    chat claude",
      ],
      orphans: [],
    });
  });

  test("of no spans is empty", () => {
    expect(buildTree([], ROOT)).toEqual({ roots: [], orphans: [] });
  });

  test("has the query's own span as its root although its caller's span is elsewhere", () => {
    const root = span("SendMessage", 0, 10, { parentId: "00f067aa0ba902b7" });
    expect(outline(buildTree([root], ROOT))).toEqual({ roots: ["SendMessage"], orphans: [] });
  });

  test("sets spans apart whose parent never came, with what is below them", () => {
    const root = span("SendMessage", 5, 10);
    const lost = span("lost", 0, 3, { parentId: "00f067aa0ba902b7" });
    const below = span("below", 1, 1, { parentId: lost.spanId });
    expect(outline(buildTree([root, below, lost], ROOT))).toEqual({
      roots: ["SendMessage"],
      orphans: ["lost", "  below"],
    });
  });

  test("has no root while the store knows of none", () => {
    const lost = span("SendMessage", 0, 3, { parentId: "00f067aa0ba902b7" });
    expect(buildTree([lost], { name: "", agent: "" })).toMatchObject({ roots: [], orphans: [{ span: lost }] });
  });
});

describe("a circle of parents", () => {
  const ring = (ids: readonly string[], more: readonly Span[] = []): Span[] => [
    ...ids.map((spanId, index) => span(spanId, index, 1, { spanId, parentId: ids.at(index - 1) ?? "" })),
    ...more,
  ];

  test("of one is an orphan", () => {
    expect(outline(buildTree(ring(["a"]), ROOT)).orphans).toEqual(["a"]);
  });
  test("is cut open, and every span is there once", () => {
    expect(outline(buildTree(ring(["a", "b", "c"]), ROOT)).orphans).toEqual(["a", "  b", "    c"]);
  });
  test("keeps what hangs below it, even if that began first", () => {
    const early = span("early", -5, 1, { parentId: "b" });
    expect(outline(buildTree(ring(["a", "b"], [early]), ROOT)).orphans).toEqual(["b", "  early", "  a"]);
  });
});

test("a chain of ten thousand spans is walked to its end", () => {
  const spans = [span("SendMessage", 0, 1)];
  for (let depth = 1; depth < 10_000; depth++)
    spans.push(span("deeper", 0, 1, { parentId: spans.at(-1)?.spanId ?? "" }));
  expect([...walk(buildTree(spans, ROOT).roots)].at(-1)?.depth).toBe(9_999);
});
