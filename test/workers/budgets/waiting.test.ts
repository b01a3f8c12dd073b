import { evictDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import {
  account,
  ask,
  call,
  countTools,
  cutEarlierLives,
  end,
  granted,
  objectOf,
  QUERY,
  reserve,
  settle,
  waiting,
} from "./accounts.ts";

const WAIT = { waitMs: 20_000 };
const limits = { maxTokens: 1500 };

afterEach(() => {
  vi.useRealTimers();
});

test("a call that does not fit beside one under way waits, and goes on as soon as that has settled", async () => {
  await granted("wake", "a", { limits });
  const second = reserve("wake", "b", { limits, agent: "summarizer", ...WAIT });
  await waiting("wake", 1);
  await settle("wake", "a", 40);
  expect(await second).toEqual({ granted: { maxTokens: 1000 } });
  expect(await account("wake")).toMatchObject({ waiting: 0, states: { open: { turns: 1, tokens: 1100 } } });
});

test("a call that waits goes on when the one under way was never made", async () => {
  const turn = { maxTurns: 1 };
  await granted("released", "a", { limits: turn });
  const second = reserve("released", "b", { limits: turn, ...WAIT });
  await waiting("released", 1);
  await end("released", "release", "a");
  expect(await second).toEqual({ granted: { maxTokens: 1000 } });
});

test("calls go on in the order in which they asked, and a small one does not overtake a large one", async () => {
  await granted("order", "a", { limits });
  const order: string[] = [];
  const ask = async (id: string, maxTokens: number): Promise<void> => {
    const answer = await reserve("order", id, { limits, maxTokens, ...WAIT });
    order.push("granted" in answer ? id : "refused");
  };
  const large = ask("large", 1000);
  await waiting("order", 1);
  const small = ask("small", 10);
  await waiting("order", 2);
  await settle("order", "a", 100);
  await large;
  await small;
  expect(order).toEqual(["large", "small"]);
});

test("beside others an answer gets half of what it could have without them, or it waits", async () => {
  const most = { maxTokens: 2400 };
  await granted("half", "a", { limits: most, maxTokens: 1500 });
  // 700 tokens are left for an answer.
  expect(await reserve("half", "b", { limits: most, maxTokens: 1401 })).toEqual({ wait: true });
  expect(await reserve("half", "c", { limits: most, maxTokens: 1400 })).toEqual({ granted: { maxTokens: 700 } });
});

test("a query whose time is over gets no further call, and those who wait hear of it at once", async () => {
  await granted("time", "a", { limits });
  const waits = reserve("time", "b", { limits, ...WAIT });
  await waiting("time", 1);
  const body = { query: QUERY, limits, spentMs: 900 };
  const report = {
    exhausted: { kind: "wall_time", spent: 900, needed: 0, byAgent: [{ agent: "searcher", turns: 1 }] },
  };
  expect(await (await ask("time", "POST", "/time-up", body)).json()).toMatchObject(report);
  expect(await waits).toMatchObject(report);
  expect(await reserve("time", "c", { limits })).toMatchObject(report);
});

test("what ended a query first stays the reason when its time is over too", async () => {
  const none = { maxToolCalls: 0 };
  await countTools("first", "t", 1, none);
  const answer = await ask("first", "POST", "/time-up", { query: QUERY, limits: none, spentMs: 900 });
  expect(await answer.json()).toMatchObject({ exhausted: { kind: "tool_calls" } });
});

test("a budget that is spent is told to all who wait, at once", async () => {
  const both = { ...limits, maxToolCalls: 0 };
  await granted("told", "a", { limits: both });
  const others = ["b", "c"].map(async (id) => reserve("told", id, { limits: both, ...WAIT }));
  await waiting("told", 2);
  await countTools("told", "t", 1, both);
  for (const answer of await Promise.all(others)) expect(answer).toMatchObject({ exhausted: { kind: "tool_calls" } });
  expect((await account("told")).states.open.turns).toBe(1);
});

test("a call that can never fit, whatever those under way leave, ends the waiting of all", async () => {
  await granted("never", "a", { limits });
  const second = reserve("never", "b", { limits, ...WAIT });
  await waiting("never", 1);
  const third = reserve("never", "c", { limits, ...WAIT });
  await waiting("never", 2);
  await settle("never", "a", 1450);
  expect(await second).toMatchObject({ exhausted: { kind: "tokens", spent: 1450 } });
  expect(await third).toEqual(await second);
});

test("a call that would not fit even if those under way cost nothing is refused at once", async () => {
  const most = { maxTokens: 3000 };
  await granted("hopeless", "a", { limits: most });
  await settle("hopeless", "a", 1500);
  await granted("hopeless", "b", { limits: most });
  const answer = await reserve("hopeless", "c", { limits: most, inputTokens: 1400, ...WAIT });
  expect(answer).toMatchObject({ exhausted: { kind: "tokens", needed: 1560 } });
  expect((await account("hopeless")).states.open.turns).toBe(1);
});

test("who has waited long enough is told to ask again, and does not hold up those behind", async () => {
  await granted("again", "a", { limits });
  expect(await reserve("again", "large", { limits })).toEqual({ wait: true });
  const large = reserve("again", "large", { limits, waitMs: 50 });
  await waiting("again", 1);
  const small = reserve("again", "small", { limits, maxTokens: 10, ...WAIT });
  expect(await large).toEqual({ wait: true });
  expect(await small).toEqual({ granted: { maxTokens: 10 } });
});

test("who asks again takes the place that it had", async () => {
  await granted("place", "a", { limits });
  expect(await reserve("place", "first", { limits })).toEqual({ wait: true });
  const second = reserve("place", "second", { limits, ...WAIT });
  await waiting("place", 1);
  const first = reserve("place", "first", { limits, ...WAIT });
  await waiting("place", 2);
  await settle("place", "a", 100);
  expect(await first).toEqual({ granted: { maxTokens: 1000 } });
  await settle("place", "first", 100);
  expect(await second).toEqual({ granted: { maxTokens: 1000 } });
});

test("a call that asks a second time while it waits is granted once, and its first request told to ask again", async () => {
  await granted("once", "a", { limits });
  const first = reserve("once", "b", { limits, ...WAIT });
  await waiting("once", 1);
  const second = reserve("once", "b", { limits, ...WAIT });
  expect(await first).toEqual({ wait: true });
  await settle("once", "a", 1);
  expect(await second).toHaveProperty("granted");
  expect((await account("once")).states.open.turns).toBe(1);
});

test("a call under way that nobody has ended for ten minutes is taken for one that broke off", async () => {
  await granted("dead", "a", { limits });
  expect(await reserve("dead", "b", { limits })).toEqual({ wait: true });
  vi.useFakeTimers({ now: Date.now() + 600_001, toFake: ["Date"] });
  expect(await reserve("dead", "b", { limits })).toEqual({ granted: { maxTokens: 300 } });
  expect((await account("dead")).states.cut).toMatchObject({ turns: 1, tokens: 1100 });
});

test("a later life of a task ends the waiting for its earlier one", async () => {
  const turn = { maxTurns: 1 };
  await granted("reborn", "a", { limits: turn });
  const other = reserve("reborn", "b", { limits: turn, task: "task-2", ...WAIT });
  await waiting("reborn", 1);
  expect(await reserve("reborn", "c", { limits: turn, life: 1 })).toMatchObject({ exhausted: { kind: "turns" } });
  expect(await other).toMatchObject({ exhausted: { kind: "turns", spent: 1 } });
});

test("who waits for a call of a life that has ended goes on as soon as the task's next life says so", async () => {
  await granted("next-life", "a", { limits, life: 1 });
  const other = reserve("next-life", "b", { limits, task: "task-2", ...WAIT });
  await waiting("next-life", 1);
  await cutEarlierLives("next-life", 2);
  expect(await other).toEqual({ granted: { maxTokens: 300 } });
});

test("a life that has ended does not wait any more, and is granted nothing", async () => {
  await granted("left", "a", { limits, task: "task-2" });
  const body = call("b", { limits, life: 1, ...WAIT });
  const dead = ask("left", "POST", "/reserve", body);
  await waiting("left", 1);
  const alive = reserve("left", "c", { limits, life: 2, ...WAIT });
  await waiting("left", 2);
  await cutEarlierLives("left", 2);
  expect((await dead).status).toBe(409);
  expect((await account("left")).waiting).toBe(1);
  await settle("left", "a", 1);
  expect(await alive).toHaveProperty("granted");
  expect((await account("left")).states.open.turns).toBe(1);
});

test("an account outlives its object in mid-life: what was booked, what is open, and that it is spent", async () => {
  const most = { maxTurns: 2 };
  await granted("evicted", "a", { limits: most });
  await settle("evicted", "a", 30);
  await granted("evicted", "b", { limits: most });
  await evictDurableObject(objectOf("evicted"));
  expect((await account("evicted")).states).toMatchObject({
    settled: { turns: 1, tokens: 30 },
    open: { tokens: 1100 },
  });
  await settle("evicted", "b", 5);
  expect(await reserve("evicted", "c", { limits: most })).toHaveProperty("exhausted");
  await evictDurableObject(objectOf("evicted"));
  expect(await reserve("evicted", "c", { limits: most })).toMatchObject({ exhausted: { spent: 2 } });
  expect((await account("evicted")).spent.tokens).toBe(35);
});
