// How two traces differ.
import { describe, expect, test } from "vitest";

import { STATUS } from "#shared/tracing/otlp.ts";

import { PLAIN_SCREEN } from "../../../../scripts/terminal/screen.ts";
import { type DiffRow, differing, diffTraces } from "../../../../scripts/traces/diff.ts";
import { drawDiff } from "../../../../scripts/traces/draw/draw-diff.ts";
import type { Span } from "../../../../scripts/traces/span.ts";
import { question, span, START_US, summary } from "./made-up.ts";

const NOW_US = START_US + 2_000_000;

function diff(a: readonly Span[], b: readonly Span[]): DiffRow[] {
  return diffTraces({ summary: summary(), spans: a }, { summary: summary(), spans: b }, NOW_US);
}

function verdicts(rows: readonly DiffRow[]): string[] {
  return rows.map(({ verdict, name, depth }) => `${"  ".repeat(depth)}${verdict} ${name}`);
}

function changed(spans: readonly Span[], name: string, more: Partial<Span>): Span[] {
  return spans.map((span) => (span.name === name ? { ...span, ...more } : span));
}

test("the same question asked twice has no differences, whatever the ids", () => {
  const rows = diff(question(), question());
  expect(rows).toHaveLength(9);
  expect(differing(rows)).toEqual([]);
});

test("differences come with the spans above them, and with no others", () => {
  const slower = changed(question(), "invoke_agent searcher", { durationUs: 900_000 });
  expect(verdicts(differing(diff(question(), slower)))).toEqual([
    "same SendMessage",
    "  same invoke_agent coordinator",
    "    same execute_tool query_agent",
    "      same coordinator → searcher",
    "        same SendStreamingMessage",
    "          changed invoke_agent searcher",
  ]);
});

describe("a change", () => {
  const a = span("SendMessage", 0, 1_000);
  const verdict = (more: Partial<Span>) => diff([a], [{ ...a, ...more }])[0]?.verdict;

  test("of duration counts from a tenth on", () => {
    expect(verdict({ durationUs: 1_090_000 })).toBe("same");
    expect(verdict({ durationUs: 1_200_000 })).toBe("changed");
  });
  test.each([
    ["tokens", { outputTokens: 1 }],
    ["cost", { costUsd: 0.01 }],
    ["status", { status: STATUS.error }],
    ["an end", { durationUs: null }],
  ])("of %s counts", (_, more) => {
    expect(verdict(more)).toBe("changed");
  });
});

test("a subtree that only one has is one row that says how much is below", () => {
  const without = question().filter(({ name, agent }) => agent !== "searcher" && !name.startsWith("SendStreaming"));
  const rows = differing(diff(question(), without));
  expect(verdicts(rows).slice(2)).toEqual([
    "    only_a execute_tool query_agent",
    "    only_b execute_tool query_agent",
  ]);
  expect(rows.map(({ hidden }) => hidden)).toEqual([0, 0, 4, 0]);
});

test("calls side by side are paired by whom they asked, not by which began first", () => {
  const team = (order: readonly string[]): Span[] => {
    const root = span("SendMessage", 0, 100);
    const calls = order.flatMap((agent, index) => {
      const tool = span("execute_tool query_agent", index, 50, { parentId: root.spanId });
      const call = span("SendStreamingMessage", index, 50, { parentId: tool.spanId, kind: 3 });
      return [tool, call, span("SendStreamingMessage", index, 50, { parentId: call.spanId, kind: 2, agent })];
    });
    return [root, ...calls];
  };
  expect(differing(diff(team(["searcher", "summarizer"]), team(["summarizer", "searcher"])))).toEqual([]);
});

test("roots are paired even if the client asked another way", () => {
  const rows = diff([span("SendMessage", 0, 10)], [span("SendStreamingMessage", 0, 10)]);
  expect(verdicts(rows)).toEqual(["same SendMessage"]);
});

test("a trace without spans differs by all of the other's", () => {
  expect(verdicts(diff([], [span("SendMessage", 0, 10)]))).toEqual(["only_b SendMessage"]);
});

test("totals are drawn first, then where the traces differ", () => {
  const failed = changed(question(), "invoke_agent searcher", {
    durationUs: 900_000,
    status: STATUS.error,
    message: "The searcher has no more turns.",
  });
  const b = summary({ traceId: "9".repeat(32), durationMs: 1_500, costUsd: 0.02, errors: 1, status: "error" });
  const lines = drawDiff(summary(), b, diff(question(), failed), { ...PLAIN_SCREEN, columns: 120 });
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "                                     A                          B            CHANGE
    trace                         4bf92f35                   99999999
    asked        What is a Durable Object?  What is a Durable Object?
    state                               ok                      error
    duration                        1.00 s                     1.50 s   +500 ms (+50 %)
    spans                                9                          9
    errors                               0                          1                +1
    agents                               2                          2
    model calls                          3                          3
    tokens in                         3.6k                       3.6k
    tokens out                         450                        450
    cost                           $0.0175                    $0.0200  +$0.0025 (+14 %)

    - only in A, + only in B, ~ in both but different
      SendMessage                      coordinator  1.00 s
        invoke_agent coordinator       coordinator  990 ms
          execute_tool query_agent     coordinator  500 ms
            coordinator → searcher     coordinator  490 ms
              SendStreamingMessage     searcher     470 ms
    ~           invoke_agent searcher  searcher     460 ms → 900 ms  ok → error, The searcher has no more turns.

    8 spans alike in both (durations within 10 % or 10 ms)."
  `);
});
