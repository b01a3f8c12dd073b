// Compaction against budgets.
import { expect, it } from "vitest";
import type { Step } from "#shared/loop/log/step.ts";
import type { Account } from "#shared/budget/account.ts";
import type { ModelRequest } from "#shared/models/model.ts";
import { NO_USAGE } from "#shared/budget/usage.ts";
import { run, ScriptedModel } from "../scripted.ts";
import { answered, asked } from "../steps.ts";

const USAGE = { ...NO_USAGE, inputTokens: 9_000, outputTokens: 500 };
const long: Step[] = [1, 2, 3, 4].flatMap((n): Step[] => [
  asked(`question ${n} ${"x".repeat(3_000)}`),
  answered(`answer ${n}`, { usage: USAGE }),
]);
const price = { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 };

it("the cost of a turn holds what its compaction cost", async () => {
  const model = Object.assign(new ScriptedModel({ text: "SUMMARY" }, { text: "done" }), { price });
  const { result } = await run(model, { steps: [...long, { kind: "user", text: "last" }] });
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = result.usage;
  const tokens = inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens;
  expect(result.costUsd).toBeCloseTo(tokens / 1e6, 12);
});

it("no compaction is paid for that the agent's own budget has no room for: /compact", async () => {
  const model = new ScriptedModel({ text: "SUMMARY" });
  const steps: Step[] = [...long, { kind: "user", text: "/compact", command: "compact" }];
  await run(model, { steps, budget: { maxTurns: 10, maxWallMs: 10_000, maxTokens: 50 } });
  expect(model.requests).toEqual([]);
});

it("no compaction is paid for that the agent's own budget has no room for: near the limit", async () => {
  const model = new ScriptedModel({ text: "SUMMARY" }, { text: "done" });
  const steps: Step[] = [...long, { kind: "user", text: "last" }];
  const { result } = await run(model, { steps, budget: { maxTurns: 10, maxWallMs: 10_000, maxTokens: 50 } });
  expect(result.subtype).toBe("error_max_tokens");
  expect(model.requests).toEqual([]);
});

it("the API's own compaction may be no longer than what was set aside for it", async () => {
  const asked: ModelRequest[] = [];
  const compact = async (request: ModelRequest) => {
    asked.push(request);
    return { block: { type: "compaction" as const, content: "SUMMARY" }, usage: NO_USAGE };
  };
  const account: Account = {
    reserve: async () => ({ id: "r", maxTokens: 10 }),
    settle: async () => {},
    cut: async () => {},
    cutEarlierLives: async () => {},
    release: async () => {},
    countToolCalls: async () => {},
    timeIsUp: async () => Promise.reject(new Error("not asked for")),
  };
  const model = Object.assign(new ScriptedModel({ text: "done" }), { compact });
  await run(model, { steps: [...long, { kind: "user", text: "last" }], account });
  expect(asked).toHaveLength(1);
  expect(asked[0]?.maxTokens).toBe(10);
});
