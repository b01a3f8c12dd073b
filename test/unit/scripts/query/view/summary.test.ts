// The line on what an answer came to.
import { expect, test } from "vitest";

import type { Answer } from "../../../../../scripts/query/ask.ts";
import { summaryLines } from "../../../../../scripts/query/view/summary.ts";
import { LiveTrace } from "../../../../../scripts/traces/store/live-trace.ts";

const ANSWER: Answer = {
  answer: "42",
  contextId: "c",
  taskId: "t",
  state: "completed",
  reason: "",
  approvals: [],
  traceId: "0123456789abcdef0123456789abcdef",
  usage: { inputTokens: 1_000, outputTokens: 200, cacheReadTokens: 300, cacheWriteTokens: 0 },
  durationMs: 1_234,
};

test("has tokens, time and how to see the trace, and breaks between its parts", () => {
  const lines = summaryLines(ANSWER, "job", new LiveTrace(), 60);
  expect(lines.join("\n")).toMatch(/^1\.5k tokens · 1\.23 s · .*troupe(?:\.mjs)? traces show 01234567$/);
  expect(summaryLines(ANSWER, "job", new LiveTrace(), 20).slice(0, 1)).toEqual(["1.5k tokens · 1.23 s"]);
});

test("is left out where nothing but the time is known", () => {
  expect(summaryLines({ ...ANSWER, traceId: null, usage: null }, "job", new LiveTrace(), 60)).toEqual([]);
  expect(summaryLines({ ...ANSWER, usage: null }, undefined, new LiveTrace(), 60)).toEqual([]);
});
