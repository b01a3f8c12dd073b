import { expect, test } from "vitest";
import { account, ask, countTools, cutEarlierLives, end, granted, QUERY, reserve, settle } from "./accounts.ts";

const PRICE = { input: 1, output: 10, cacheRead: 0.1, cacheWrite: 1.25 };

test("a call with room gets the answer it wants, and what it may cost is set aside until it settles", async () => {
  const limits = { maxTokens: 10_000 };
  expect(await granted("room", "a", { limits, price: PRICE })).toBe(1000);
  // 100 tokens that may be written to the cache, and 1000 of output.
  const open = { turns: 1, tokens: 1100, usd: (100 * 1.25 + 1000 * 10) / 1e6, toolCalls: 0 };
  const zero = { turns: 0, tokens: 0, usd: 0, toolCalls: 0 };
  expect(await account("room")).toMatchObject({ limits, spent: open, states: { open, settled: zero, cut: zero } });
  expect(await settle("room", "a", 40, PRICE)).toBe(204);
  const settled = { turns: 1, tokens: 40, usd: 0.0004, toolCalls: 0 };
  expect(await account("room")).toMatchObject({
    spent: settled,
    byAgent: [{ agent: "searcher", ...settled }],
    states: { settled, open: zero, cut: zero },
    exhausted: null,
  });
});

test("tokens of the cache count like any others", async () => {
  await granted("cache", "a", { price: PRICE });
  const usage = { inputTokens: 1, outputTokens: 20, cacheReadTokens: 300, cacheWriteTokens: 4000 };
  expect((await ask("cache", "POST", "/settle", { query: QUERY, id: "a", usage, price: PRICE })).status).toBe(204);
  const usd = (1 * 1 + 20 * 10 + 300 * 0.1 + 4000 * 1.25) / 1e6;
  expect((await account("cache")).spent).toEqual({ turns: 1, tokens: 4321, usd, toolCalls: 0 });
});

test("an answer shrinks to what is left, but not below 256 tokens: then the budget is spent", async () => {
  const limits = { maxTokens: 4000 };
  await granted("shrink", "a", { limits });
  await settle("shrink", "a", 3400);
  expect(await granted("shrink", "b", { limits })).toBe(500);
  await settle("shrink", "b", 245);
  expect(await reserve("shrink", "c", { limits, agent: "summarizer" })).toEqual({
    exhausted: {
      kind: "tokens",
      limit: 4000,
      spent: 3645,
      needed: 356,
      byAgent: [{ agent: "searcher", turns: 2, tokens: 3645, usd: 0, toolCalls: 0 }],
    },
  });
});

test("a budget in dollars shrinks the answer to what the rest can pay for", async () => {
  const limits = { maxUsd: 0.01 };
  // $0.000125 for the request, so $0.009875 buy 987.5 tokens.
  expect(await granted("dollars", "a", { limits, price: PRICE })).toBe(987);
  await settle("dollars", "a", 990, PRICE);
  const answer = await reserve("dollars", "b", { limits, price: PRICE });
  expect(answer).toMatchObject({ exhausted: { kind: "usd", limit: 0.01, spent: 0.0099 } });
});

test("limits that are small as such still allow a short answer", async () => {
  expect(await granted("small", "a", { limits: { maxTokens: 300 } })).toBe(200);
  expect(await reserve("smaller", "a", { limits: { maxTokens: 100 } })).toMatchObject({
    exhausted: { kind: "tokens", spent: 0, needed: 101 },
  });
});

test("the last model call of the budget is made, the one after it is not", async () => {
  const limits = { maxTurns: 2 };
  for (const id of ["a", "b"]) {
    await granted("turns", id, { limits });
    await settle("turns", id, 1);
  }
  expect(await reserve("turns", "c", { limits })).toMatchObject({ exhausted: { kind: "turns", limit: 2, spent: 2 } });
});

test("a spent budget stays spent for all agents, whatever settles later, and the report says who spent most first", async () => {
  const limits = { maxToolCalls: 1, maxTokens: 100_000 };
  await granted("sticky", "a", { limits, agent: "coordinator", task: "root" });
  await granted("sticky", "b", { limits });
  expect(await countTools("sticky", "t1", 1, limits)).toEqual({ ok: true });
  expect(await countTools("sticky", "t2", 1, limits)).toMatchObject({ exhausted: { kind: "tool_calls", spent: 1 } });
  await settle("sticky", "a", 1);
  await settle("sticky", "b", 7);
  const refused = {
    kind: "tool_calls",
    limit: 1,
    spent: 1,
    byAgent: [{ agent: "searcher" }, { agent: "coordinator" }],
  };
  for (const agent of ["coordinator", "summarizer"]) {
    expect(await reserve("sticky", `c ${agent}`, { limits, agent })).toMatchObject({ exhausted: refused });
  }
  expect(await account("sticky")).toMatchObject({ exhausted: refused, spent: { turns: 2, tokens: 8, toolCalls: 1 } });
});

test("tool calls are booked all or none, and a budget of none allows none", async () => {
  const limits = { maxToolCalls: 5 };
  expect(await countTools("tools", "t1", 4, limits)).toEqual({ ok: true });
  const refused = { exhausted: { kind: "tool_calls", limit: 5, spent: 4, needed: 2 } };
  expect(await countTools("tools", "t2", 2, limits)).toMatchObject(refused);
  expect(await countTools("tools", "t3", 1, limits)).toMatchObject(refused);
  expect(await countTools("none", "t1", 1, { maxToolCalls: 0 })).toMatchObject({ exhausted: { limit: 0, spent: 0 } });
});

test("what a call has used above what was set aside counts too", async () => {
  const limits = { maxTokens: 2000 };
  await granted("above", "a", { limits });
  await settle("above", "a", 5000);
  expect(await reserve("above", "b", { limits })).toMatchObject({ exhausted: { spent: 5000 } });
});

test("a call that broke off counts in full until what it used is known", async () => {
  await granted("cut", "a");
  expect(await end("cut", "cut", "a")).toBe(204);
  expect((await account("cut")).states).toMatchObject({ open: { turns: 0 }, cut: { turns: 1, tokens: 1100 } });
  await settle("cut", "a", 30);
  expect((await account("cut")).states).toMatchObject({ cut: { turns: 0 }, settled: { turns: 1, tokens: 30 } });
});

test("a call that was released costs nothing, not even a turn", async () => {
  const limits = { maxTurns: 1 };
  await granted("release", "a", { limits });
  expect(await end("release", "release", "a")).toBe(204);
  expect(await account("release")).toMatchObject({ spent: { turns: 0, tokens: 0 }, byAgent: [] });
  expect(await granted("release", "b", { limits })).toBe(1000);
});

test("a call that has settled cannot be cut or released any more", async () => {
  await granted("final", "a");
  await settle("final", "a", 30);
  expect(await end("final", "cut", "a")).toBe(204);
  expect(await end("final", "release", "a")).toBe(204);
  expect((await account("final")).states.settled).toMatchObject({ turns: 1, tokens: 30 });
});

test("a task's later life cuts what its earlier ones left open, and nobody else's", async () => {
  await granted("life", "mine", { life: 1 });
  await granted("life", "other task", { task: "task-2", life: 1 });
  await granted("life", "other agent", { agent: "summarizer", life: 1 });
  await granted("life", "same life", { life: 1 });
  expect((await account("life")).states).toMatchObject({ open: { turns: 4 }, cut: { turns: 0 } });
  await granted("life", "later", { life: 2 });
  expect((await account("life")).states).toMatchObject({ open: { turns: 3 }, cut: { turns: 2, tokens: 2200 } });
});

test("a later life that reserves nothing can say so: what its earlier ones left open is cut, and nothing else", async () => {
  await granted("gone", "settled", { life: 1 });
  await settle("gone", "settled", 30);
  await granted("gone", "open", { life: 2 });
  await granted("gone", "other task", { task: "task-2", life: 1 });
  await granted("gone", "other agent", { agent: "summarizer", life: 1 });
  await granted("gone", "same life", { life: 3 });
  await granted("gone", "cut by that", { task: "task-3", life: 1 });
  for (const _ of ["once", "again"]) expect(await cutEarlierLives("gone", 3)).toBe(204);
  expect((await account("gone")).states).toMatchObject({
    settled: { turns: 1, tokens: 30 },
    open: { turns: 4 },
    cut: { turns: 1, tokens: 1100 },
  });
  expect(await cutEarlierLives("gone", 2, "task-3")).toBe(204);
  expect((await account("gone")).states).toMatchObject({ open: { turns: 3 }, cut: { turns: 2 } });
});

test("the limits of a query's first call stand", async () => {
  await granted("first", "a", { limits: { maxTurns: 1 } });
  await settle("first", "a", 1);
  expect(await reserve("first", "b", { limits: { maxTurns: 9 } })).toMatchObject({ exhausted: { limit: 1 } });
});

test("each operation may be repeated", async () => {
  const limits = { maxTurns: 3, maxToolCalls: 2 };
  const twice = async <Result>(work: () => Promise<Result>): Promise<void> => {
    expect(await work()).toEqual(await work());
  };
  await twice(async () => granted("twice", "a", { limits, maxTokens: 700 }));
  await twice(async () => settle("twice", "a", 30));
  await twice(async () => granted("twice", "a", { limits, maxTokens: 700 }));
  await granted("twice", "b", { limits });
  await twice(async () => end("twice", "cut", "b"));
  await granted("twice", "c", { limits });
  await twice(async () => end("twice", "release", "c"));
  await twice(async () => countTools("twice", "t", 2, limits));
  expect((await account("twice")).spent).toEqual({ turns: 2, tokens: 1130, usd: 0, toolCalls: 2 });
  expect(await countTools("twice", "more", 1, limits)).toHaveProperty("exhausted");
  expect(await granted("twice", "a", { limits })).toBe(700);
  expect(await countTools("twice", "t", 2, limits)).toEqual({ ok: true });
});
