// Budgets in a turn: the agent's own, and the account of the whole query, which is asked before each model call and told after it.
import { expect, it } from "vitest";
import { BudgetSpent } from "#shared/budget/limits.ts";
import { BudgetUnreachable, type Account } from "#shared/budget/account.ts";
import { transcript } from "#shared/loop/log/conversation.ts";
import { ModelError } from "#shared/models/model.ts";
import { ECHO, FULL_ACCESS, run, ScriptedModel } from "./scripted.ts";

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
    timeIsUp: async (spentMs) => {
      book.push("time is up");
      const byAgent = [{ agent: "searcher", turns: 2, tokens: 20, usd: 0, toolCalls: 0 }];
      return { kind: "wall_time", limit: spentMs, spent: spentMs, needed: 0, byAgent };
    },
    ...more,
  };
  return { book, account: own };
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

it("attempts that broke off count in the agent's own budget, with all that they could have cost", async () => {
  const broken = new ModelError("broken_stream", "broke");
  const model = new ScriptedModel({ error: broken }, { error: broken }, { text: "never" });
  const { result, steps } = await run(model, { budget: { maxTurns: 2, maxWallMs: 10_000 } });
  expect(result).toMatchObject({ subtype: "error_max_turns" });
  expect(model.requests).toHaveLength(2);
  const [, cut] = steps;
  expect(cut).toMatchObject({ kind: "model_cut", maxTokens: model.maxTokens });
  const tokens = cut?.kind === "model_cut" ? cut.inputTokens + cut.maxTokens : 0;
  const again = new ScriptedModel({ error: broken }, { text: "never" });
  const short = await run(again, { budget: { maxTurns: 9, maxTokens: tokens + 5, maxWallMs: 10_000 } });
  expect(short.result).toMatchObject({ subtype: "error_max_tokens" });
  expect(again.requests).toHaveLength(1);
});

it.each([
  ["connection_lost", "cut"],
  ["stalled", "cut"],
  ["broken_stream", "cut"],
  ["overloaded", "release"],
  ["unavailable", "release"],
  ["circuit_open", "release"],
] as const)("a call that ends as %s before anything came is booked as %s", async (code, booked) => {
  const { book, ...parts } = account();
  const model = new ScriptedModel({ text: "whole" });
  const stream = model.stream.bind(model);
  let failed = false;
  model.stream = async function* (...asked) {
    if (failed) return yield* stream(...asked);
    failed = true;
    throw new ModelError(code, "no", { retryable: true });
  };
  const { steps } = await run(model, parts);
  expect(book).toEqual(["reserve", `${booked} r1`, "reserve", "settle r2 7"]);
  expect(steps.some(({ kind }) => kind === "model_cut")).toBe(booked === "cut");
});

it("what a backend does not say is estimated, so that a budget of tokens holds for it too", async () => {
  const model = new ScriptedModel({ text: "a long answer ".repeat(50) });
  const stream = model.stream.bind(model);
  model.stream = async function* (...asked) {
    for await (const event of stream(...asked)) {
      if (event.type === "message_start") Object.assign(event.message, { usage: {} });
      if (event.type === "message_delta") Object.assign(event, { usage: {} });
      yield event;
    }
  };
  const { steps } = await run(model);
  const usage = steps.flatMap((step) => (step.kind === "assistant" ? step.usage : []))[0];
  expect(usage?.inputTokens).toBeGreaterThan(5);
  expect(usage?.outputTokens).toBeGreaterThan(200);
});

it("searches that the API makes by itself are set aside before and paid for after", async () => {
  const wanted: unknown[] = [];
  const { book, ...parts } = account({
    reserve: async (call) => {
      wanted.push(call);
      return { id: "r1", maxTokens: call.maxTokens };
    },
    settle: async (_, usage) => void book.push(`settled ${usage.webSearches} searches`),
  });
  const price = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, webSearch: 10_000 };
  const model = new ScriptedModel({ text: "found" });
  model.price = price;
  const stream = model.stream.bind(model);
  model.stream = async function* (...asked) {
    for await (const event of stream(...asked)) {
      if (event.type === "message_delta") Object.assign(event.usage, { server_tool_use: { web_search_requests: 3 } });
      yield event;
    }
  };
  const search = { type: "web_search_20260318", name: "web_search", max_uses: 5 } as const;
  const { result } = await run(model, { ...parts, serverTools: [search] });
  expect(wanted).toMatchObject([{ webSearches: 5 }]);
  expect(book).toEqual(["settled 3 searches"]);
  expect(result).toMatchObject({ subtype: "success", costUsd: 0.03 });
  // A budget has to have room for all five before the call is made.
  const poor = { maxTurns: 9, maxWallMs: 10_000, maxUsd: 0.04 };
  const never = new ScriptedModel();
  never.price = price;
  const refused = await run(never, { budget: poor, serverTools: [search] });
  expect(refused.result).toMatchObject({ subtype: "error_max_budget_usd" });
});

it("the time of the whole query ends it for all its agents, and the report says whose calls there were", async () => {
  const { book, ...parts } = account();
  const { result } = await run(new ScriptedModel({ text: "…", hang: true }), { ...parts, queryWallMs: 40 });
  expect(result).toMatchObject({
    subtype: "error_max_wall_time",
    message:
      "The budget of 0.04 s of the whole query was spent before the answer was complete (searcher: 2 model calls).",
  });
  expect(book).toEqual(["reserve", "cut r1", "time is up"]);
});

it("the query's time ends the turn also when the account is away, and an agent's own time is not the query's", async () => {
  const timeIsUp = async () => {
    throw new BudgetUnreachable("gone");
  };
  const hanging = () => new ScriptedModel({ text: "…", hang: true });
  const away = await run(hanging(), { ...account({ timeIsUp }), queryWallMs: 40 });
  expect(away.result).toMatchObject({
    subtype: "error_max_wall_time",
    message: "The wall-time budget of 0.04 s was spent in model call 1.",
  });
  const { book, ...parts } = account();
  const own = await run(hanging(), { ...parts, queryWallMs: 400, budget: { maxTurns: 9, maxWallMs: 40 } });
  expect(own.result).toMatchObject({ message: "The wall-time budget of 0.04 s was spent in model call 1." });
  expect(book).not.toContain("time is up");
});

it("time that a tool spends is told as such", async () => {
  const never = { ...ECHO, run: async () => new Promise<never>(() => undefined) };
  const parts = { tools: [never], budget: { maxTurns: 9, maxWallMs: 40 } };
  expect((await run(new ScriptedModel(echo("t1")), parts)).result).toMatchObject({
    subtype: "error_max_wall_time",
    message: "The wall-time budget of 0.04 s was spent in the tool calls of model call 1.",
  });
});

it("a call that is given up counts: nobody knows what it has cost", async () => {
  const { book, ...parts } = account();
  const abort = new AbortController();
  const model = new ScriptedModel({ text: "…", hang: true });
  const { result } = await run(model, { ...parts, signal: abort.signal, emit: () => abort.abort() });
  expect(result.subtype).toBe("canceled");
  expect(book).toEqual(["reserve", "cut r1"]);
});

it("a life that ended in a model call has spent it from the agent's own budget", async () => {
  const budget = { maxTurns: 2, maxWallMs: 10_000 };
  const { result, steps } = await run(new ScriptedModel({ text: "done" }), { budget, life: 2 });
  expect(result).toMatchObject({ subtype: "success", turns: 1 });
  expect(steps.map(({ kind }) => kind)).toEqual(["user", "model_cut", "assistant"]);
  const model = new ScriptedModel({ text: "never" });
  expect((await run(model, { budget: { ...budget, maxTurns: 1 }, life: 2 })).result.subtype).toBe("error_max_turns");
  expect(model.requests).toEqual([]);
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

it("time that a second model call spends is told as that call's, not as its tools'", async () => {
  const model = new ScriptedModel(echo("t1"), { text: "…", hang: true });
  expect((await run(model, { budget: { maxTurns: 9, maxWallMs: 60 } })).result).toMatchObject({
    message: "The wall-time budget of 0.06 s was spent in model call 2.",
  });
});

it("a life that ended after a round of tools has spent the model call that followed it", async () => {
  const { steps } = await run(new ScriptedModel(echo("t1"), { text: "done" }));
  const upToResult = steps.slice(0, steps.findIndex(({ kind }) => kind === "tool_result") + 1);
  const again = await run(new ScriptedModel({ text: "done" }), { steps: upToResult, life: 2 });
  expect(again.steps.map(({ kind }) => kind)).toEqual([
    ...upToResult.map(({ kind }) => kind),
    "model_cut",
    "assistant",
  ]);
  const calls = steps.slice(
    0,
    steps.findIndex(({ kind }) => kind === "tool_result"),
  );
  const cutInTool = await run(new ScriptedModel({ text: "done" }), { steps: calls, life: 2 });
  expect(cutInTool.steps.map(({ kind }) => kind)).not.toContain("model_cut");
});

it("nothing is set aside for searches that the model is not offered", async () => {
  const wanted: object[] = [];
  const { account: own } = account({
    reserve: async (call) => {
      wanted.push(call);
      return { id: "r", maxTokens: call.maxTokens };
    },
  });
  const search = { type: "web_search_20260318", name: "web_search", max_uses: 5 } as const;
  const permissions = { ...FULL_ACCESS, ask: ["web_search"] };
  await run(new ScriptedModel({ text: "ok" }), { account: own, serverTools: [search], permissions });
  expect(wanted).toHaveLength(1);
  expect(wanted[0]).not.toHaveProperty("webSearches");
});

it("a turn whose time is over says which budget had ended its query before", async () => {
  const timeIsUp = async () => ({ kind: "tokens" as const, limit: 9, spent: 9, needed: 0, byAgent: [] });
  const parts = account({ timeIsUp });
  const { result } = await run(new ScriptedModel({ text: "…", hang: true }), { ...parts, queryWallMs: 40 });
  expect(result).toMatchObject({
    subtype: "error_max_tokens",
    message: expect.stringContaining("9 tokens of the whole query"),
  });
});
