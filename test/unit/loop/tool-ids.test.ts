// Ids of tool calls, which approvals and idempotency keys are bound to.
import { expect, it } from "vitest";
import type { Step } from "#shared/loop/step.ts";
import { NO_USAGE } from "#shared/budget/usage.ts";
import { run, ScriptedModel } from "./scripted.ts";

it("a backend that repeats its ids gets no id twice in a task, though a compaction has taken the first out of the request", async () => {
  const echo = { calls: [{ id: "call_1", name: "echo", json: '{"text":"x"}' }] };
  const first: Step[] = [
    { kind: "user", text: `hi ${"x".repeat(9_000)}` },
    {
      kind: "assistant",
      content: [{ type: "tool_use", id: "call_1", name: "echo", input: { text: "x" }, caller: { type: "direct" } }],
      stopReason: "tool_use",
      usage: { ...NO_USAGE, inputTokens: 3_000 },
      model: "m",
      malformedInputs: {},
    },
    { kind: "tool_result", toolUseId: "call_1", content: "x".repeat(20_000), isError: false },
    {
      kind: "assistant",
      content: [{ type: "tool_use", id: "call_1_2", name: "echo", input: { text: "x" }, caller: { type: "direct" } }],
      stopReason: "tool_use",
      usage: { ...NO_USAGE, inputTokens: 9_900 },
      model: "m",
      malformedInputs: {},
    },
    { kind: "tool_result", toolUseId: "call_1_2", content: "x", isError: false },
  ];
  const keys: string[] = [];
  const model = new ScriptedModel({ text: "SUMMARY" }, echo, { text: "done" });
  const { steps } = await run(model, { steps: first, begin: 0, life: 2, idempotencyKey: (id) => (keys.push(id), id) });
  expect(steps.map(({ kind }) => kind)).toContain("compaction");
  expect(keys).toHaveLength(1);
  expect(keys).not.toContain("call_1");
});
