// Budgets in a turn: the agent's own, and the account of the whole query, which is asked before each model call and told after it.
import { expect, it } from "vitest";
import { BudgetSpent, BudgetUnreachable, type Account } from "#shared/loop/budget.ts";
import { transcript } from "#shared/loop/step.ts";
import { ModelError } from "#shared/models/model.ts";
import { run, ScriptedModel } from "./scripted.ts";

const echo = (id: string) => ({ calls: [{ id, name: "echo", json: '{"text":"x"}' }] });

/** An account that writes down what it is asked and told. */
function account(more: Partial<Account> = {}) {
  const book: string[] = [];
  let n = 0;
  const own: Account = {
    reserve: async ({ maxTokens }) => {
      book.push("reserve");
      return { id: `r${++n}`, maxTokens };
    },
    settle: async (id, usage) => void book.push(`settle ${id} ${usage.outputTokens}`),
    cut: async (id) => void book.push(`cut ${id}`),
    cutEarlierLives: async () => void book.push("cut earlier lives"),
    release: async (id) => void book.push(`release ${id}`),
    countToolCalls: async (id, count) => void book.push(`count ${id}: ${count}`),
    ...more,
  };
  return { book, account: own, countToolCalls: own.countToolCalls };
}

it("each model call is reserved before and settled after, and tool calls are booked before they run", async () => {
  const { book, ...parts } = account();
  const { steps } = await run(new ScriptedModel(echo("t1"), { text: "done" }), parts);
  expect(book).toEqual(["reserve", "settle r1 7", "count round 1: 1", "reserve", "settle r2 7"]);
  expect(steps.filter(({ kind }) => kind === "assistant")).toMatchObject([
    { reservation: "r1" },
    { reservation: "r2" },
  ]);
});

it("the answer may have as many tokens as were reserved", async () => {
  const parts = account({ reserve: async () => ({ id: "r", maxTokens: 17 }) });
  const model = new ScriptedModel({ text: "short" });
  await run(model, parts);
  expect(model.requests[0]?.maxTokens).toBe(17);
});

it("an account that cannot be reached means no model call, and the turn says so", async () => {
  const parts = account({
    reserve: async () => {
      throw new BudgetUnreachable("The budget cannot be reached, so no model call is made.");
    },
  });
  const model = new ScriptedModel({ text: "never" });
  const { result } = await run(model, parts);
  expect(result).toMatchObject({
    subtype: "error_during_execution",
    message: expect.stringContaining("no model call"),
  });
  expect(model.requests).toEqual([]);
});

it("an account that is lost after the last answer does not take the answer with it", async () => {
  const settle = async () => {
    throw new BudgetUnreachable("gone");
  };
  expect((await run(new ScriptedModel({ text: "done" }), account({ settle }))).result).toMatchObject({ text: "done" });
  const going = await run(new ScriptedModel(echo("t1")), account({ settle }));
  expect(going.result).toMatchObject({ subtype: "error_during_execution", message: "gone" });
});

it.each([
  ["turns", "error_max_turns"],
  ["tokens", "error_max_tokens"],
  ["usd", "error_max_budget_usd"],
] as const)("a query whose %s are spent ends the turn as %s, with the account's words", async (kind, subtype) => {
  const parts = account({
    reserve: async () => {
      throw new BudgetSpent(kind, "spent: searcher 5, coordinator 3");
    },
  });
  expect((await run(new ScriptedModel(), parts)).result).toMatchObject({
    subtype,
    message: "spent: searcher 5, coordinator 3",
  });
});

it("tool calls that go over the query's budget are not run, and each has a result all the same", async () => {
  const parts = account({
    countToolCalls: async () => {
      throw new BudgetSpent("tool_calls", "40 tool calls were spent");
    },
  });
  const { result, steps, events } = await run(new ScriptedModel(echo("t1")), parts);
  expect(result).toMatchObject({ subtype: "error_max_tool_calls" });
  expect(events.filter(({ type }) => type === "tool_start")).toEqual([]);
  expect(transcript(steps).at(-1)).toMatchObject({ content: [{ type: "tool_result", is_error: true }] });
});

it("an attempt that never began is released, one that broke off is cut, and the next is reserved anew", async () => {
  const { book, ...parts } = account();
  const broken = new ModelError("broken_stream", "broke");
  await run(new ScriptedModel({ text: "half", error: broken }, { text: "whole" }), parts);
  expect(book).toEqual(["reserve", "cut r1", "reserve", "settle r2 7"]);
  const refused = account();
  const model = new ScriptedModel({ text: "never" });
  model.stream = async function* () {
    yield* [];
    throw new ModelError("unauthorized", "no");
  };
  await run(model, refused);
  expect(refused.book).toEqual(["reserve", "release r1"]);
});

it("a life that ended between the answer and the account settles it in the next one", async () => {
  const first = account();
  const { steps } = await run(new ScriptedModel(echo("t1"), { text: "done" }), first);
  const { book, ...parts } = account();
  const upToResult = steps.slice(0, steps.findIndex(({ kind }) => kind === "tool_result") + 1);
  await run(new ScriptedModel({ text: "done" }), { ...parts, steps: upToResult, life: 2 });
  expect(book).toEqual(["settle r1 7", "cut earlier lives", "reserve", "settle r1 7"]);
});

it("a life that found its last answer in the log settles it too", async () => {
  const { steps } = await run(new ScriptedModel({ text: "done" }), account());
  const { book, ...parts } = account();
  await run(new ScriptedModel(), { ...parts, steps, life: 2 });
  expect(book).toEqual(["settle r1 7", "cut earlier lives"]);
});

it.each([
  [{ maxTurns: 1 }, "error_max_turns"],
  [{ maxTokens: 10 }, "error_max_tokens"],
  [{ maxToolCalls: 0 }, "error_max_tool_calls"],
] as const)("the agent's own budget of %o ends its turn as %s", async (limits, subtype) => {
  const model = new ScriptedModel(echo("t1"), { text: "never" });
  const { result } = await run(model, { budget: { maxTurns: 10, maxWallMs: 10_000, ...limits } });
  expect(result.subtype).toBe(subtype);
  expect(model.requests.length).toBeLessThan(2);
});
