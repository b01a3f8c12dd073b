// A life that takes a turn over pays what those before had not: their last answer is in the log, and perhaps not at the account.
import { expect, test } from "vitest";
import { BudgetUnreachable, type Account } from "#shared/budget/account.ts";
import type { Step } from "#shared/loop/step.ts";
import { run, ScriptedModel } from "./scripted.ts";

const USAGE = { inputTokens: 10, outputTokens: 7, cacheReadTokens: 0, cacheWriteTokens: 0 };
const ASKED: Step = { kind: "user", text: "hi" };
const ANSWER = {
  kind: "assistant",
  content: [{ type: "text", text: "hello", citations: null }],
  stopReason: "end_turn",
  usage: USAGE,
  model: "scripted",
  malformedInputs: {},
  reservation: "reserved by the first life",
} as const satisfies Step;
const ANSWERED: readonly Step[] = [ASKED, ANSWER];
const CALLING: Step = {
  ...ANSWER,
  content: [{ type: "tool_use", id: "c", name: "echo", input: { text: "x" }, caller: { type: "direct" } }],
  stopReason: "tool_use",
};

function account(more: Partial<Account> = {}) {
  const told: unknown[] = [];
  const own: Account = {
    reserve: async () => ({ id: "new", maxTokens: 100 }),
    settle: async (id, usage) => void told.push([id, usage]),
    cut: async () => {},
    cutEarlierLives: async () => void told.push("cut earlier lives"),
    release: async () => {},
    countToolCalls: async () => {},
    timeIsUp: async () => Promise.reject(new Error("not asked for")),
    ...more,
  };
  return { told, account: own };
}

const away = async () => {
  throw new BudgetUnreachable("The account is away.");
};

test("the last answer of an earlier life is settled, also where no further model call is made, and what it left open is given up after that", async () => {
  const { told, account: own } = account();
  const { result } = await run(new ScriptedModel(), { steps: ANSWERED, life: 2, account: own });
  expect([result.subtype, told]).toEqual(["success", [["reserved by the first life", USAGE], "cut earlier lives"]]);
});

test("a life that finds no answer gives up what was left open before it asks for more", async () => {
  const { told, account: own } = account({
    reserve: async () => {
      told.push("reserve");
      return { id: "new", maxTokens: 100 };
    },
  });
  await run(new ScriptedModel({ text: "hello" }), { steps: [ASKED], life: 2, account: own });
  expect(told.slice(0, 2)).toEqual(["cut earlier lives", "reserve"]);
});

test("a first life has nothing to settle but its own calls", async () => {
  const { told, account: own } = account();
  await run(new ScriptedModel(), { steps: ANSWERED, life: 1, account: own });
  expect(told).toEqual([]);
});

test.each(["settle", "cutEarlierLives"] as const)(
  "an answer that ends the turn is not lost in its next life because %s finds the account away",
  async (operation) => {
    const { account: own } = account({ [operation]: away });
    const { result } = await run(new ScriptedModel(), { steps: ANSWERED, life: 2, account: own });
    expect(result).toMatchObject({ subtype: "success", text: "hello" });
  },
);

test.each([
  ["has asked for tools", [ASKED, CALLING]],
  ["is not there yet", [ASKED]],
  ["paused", [ASKED, { ...ANSWER, stopReason: "pause_turn" }]],
  ["was sent back by a hook", [...ANSWERED, { kind: "note", about: "stop", text: "Go on." }]],
] as [string, Step[]][])(
  "where the answer %s, an account that is away ends the turn before anything is done",
  async (_, steps) => {
    const model = new ScriptedModel({ text: "never" });
    const { account: own } = account({ cutEarlierLives: away });
    const { result } = await run(model, { steps, life: 2, account: own });
    expect(result).toMatchObject({ subtype: "error_during_execution", message: "The account is away." });
    expect(model.requests).toEqual([]);
  },
);
