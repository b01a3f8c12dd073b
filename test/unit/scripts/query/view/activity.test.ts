// The rows of agents that work, and what a question came to.
import { expect, test } from "vitest";

import { KIND } from "#shared/tracing/otlp.ts";

import { activityRows } from "../../../../../scripts/query/view/activity.ts";
import { widthOf } from "../../../../../scripts/terminal/terminal-text.ts";
import type { Span } from "../../../../../scripts/traces/span.ts";

const ENTRY = { agent: "coordinator", askedUs: 0 };
const NOW_US = 3_200_000;

function span(spanId: string, parentId: string, fields: Partial<Span>): Span {
  return {
    seq: 1,
    spanId,
    parentId,
    name: "",
    agent: "coordinator",
    kind: KIND.internal,
    startUs: 0,
    durationUs: null,
    status: 0,
    message: "",
    provisional: false,
    operation: "",
    inputTokens: 0,
    outputTokens: 0,
    costUsd: null,
    ...fields,
  };
}

const ROOT = span("a", "", { kind: KIND.server, name: "SendStreamingMessage" });
const TURN = span("b", "a", { operation: "invoke_agent", name: "invoke_agent coordinator" });

function rows(spans: readonly Span[], columns = 80): string[] {
  return activityRows(spans, ENTRY, NOW_US, columns).map((row) => row.slice(2));
}

test("before the first span has come, the agent that was asked works", () => {
  expect(rows([])).toEqual(["coordinator  works  3.2 s"]);
});

test("each working agent has a row: whom it asks, which tool it runs, or that it thinks", () => {
  const call = span("c", "b", { kind: KIND.client, startUs: 1_000_000, name: "SendStreamingMessage" });
  const asked = span("d", "c", { kind: KIND.server, agent: "searcher", startUs: 1_100_000 });
  const tool = { agent: "searcher", operation: "execute_tool", name: "execute_tool web_search", startUs: 2_000_000 };
  const ended = span("f", "d", { agent: "searcher", operation: "chat", name: "chat x", durationUs: 10 });
  const thinking = span("g", "d", {
    agent: "summarizer",
    operation: "chat",
    name: "chat claude-x",
    startUs: 3_000_000,
  });
  expect(rows([ROOT, TURN, call, asked, ended, span("e", "d", tool), thinking])).toEqual([
    "coordinator  asks searcher  2.2 s",
    "searcher     web_search  1.2 s",
    "summarizer   thinks (claude-x)  0.2 s",
  ]);
});

test("an agent that waits for a person says for what", () => {
  const waits = span("c", "a", { name: "approval pay_invoice", startUs: 1_000_000 });
  expect(rows([ROOT, waits])).toEqual(["coordinator  waits for an approval of pay_invoice  2.2 s"]);
});

test("rows are narrower than the screen, safe, and not too many", () => {
  const many = Array.from({ length: 20 }, (_, n) =>
    span(`s${n}`, "", {
      agent: `agent_\u001b[31m漢字${n}`.repeat(4),
      operation: "chat",
      name: `chat ${"x".repeat(100)}`,
    }),
  );
  const shown = activityRows(many, ENTRY, NOW_US, 60);
  expect(shown).toHaveLength(9);
  expect(shown.at(-1)).toBe("  and 12 more");
  expect(shown.every((row) => widthOf(row) < 60 && !row.includes("\u001b"))).toBe(true);
});
