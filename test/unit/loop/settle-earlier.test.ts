// A life that takes a turn over pays what the one before had not: its last answer is in the log, and perhaps not at the account.
import { expect, test } from "vitest";

import type { Account } from "#shared/loop/budget.ts";
import type { Step } from "#shared/loop/step.ts";
import { run, ScriptedModel } from "./scripted.ts";

const USAGE = { inputTokens: 10, outputTokens: 7, cacheReadTokens: 0, cacheWriteTokens: 0 };
const ANSWERED: readonly Step[] = [
  { kind: "user", text: "hi" },
  {
    kind: "assistant",
    content: [{ type: "text", text: "hello", citations: null }],
    stopReason: "end_turn",
    usage: USAGE,
    model: "scripted",
    malformedInputs: {},
    reservation: "reserved by the first life",
  },
];

async function settledIn(life: number): Promise<unknown[]> {
  const settled: unknown[] = [];
  const account: Account = {
    reserve: async () => ({ id: "new", maxTokens: 100 }),
    settle: async (id, usage) => void settled.push([id, usage]),
    cut: async () => {},
    release: async () => {},
    countToolCalls: async () => {},
    timeIsUp: async () => Promise.reject(new Error("not asked for")),
  };
  const { result } = await run(new ScriptedModel(), { steps: ANSWERED, life, account });
  expect(result.subtype).toBe("success");
  return settled;
}

test("the last answer of an earlier life is settled, also where no further model call is made", async () => {
  expect(await settledIn(2)).toEqual([["reserved by the first life", USAGE]]);
});

test("a first life has nothing to settle but its own calls", async () => {
  expect(await settledIn(1)).toEqual([]);
});
