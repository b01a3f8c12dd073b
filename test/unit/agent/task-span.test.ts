import { expect, it } from "vitest";
import { newTaskTrace } from "#shared/agent/session/task-trace.ts";

const ABOUT = { method: "SendMessage", messageId: "m", isRecorded: true };

it("only what a person asks begins a query, whatever agents are called", () => {
  expect(newTaskTrace(undefined, [], ABOUT)).toMatchObject({ isQuery: true, source: "client", parentSpanId: null });
  expect(newTaskTrace(undefined, ["client"], ABOUT)).toMatchObject({ isQuery: false, source: "client" });
});

it("a task below a caller's span is in the caller's trace", () => {
  const parent = { traceId: "a".repeat(32), spanId: "b".repeat(16) };
  expect(newTaskTrace(parent, ["x", "y"], ABOUT)).toMatchObject({
    traceId: parent.traceId,
    parentSpanId: parent.spanId,
    source: "y",
  });
});
