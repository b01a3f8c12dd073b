import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { account, ask, call, cutEarlierLives, end, granted, objectOf, QUERY, settle } from "./accounts.ts";

const DAY_MS = 86_400_000;

afterEach(() => {
  vi.useRealTimers();
});

test("the token decides the job: one job does not see another's accounts, nor spends from them", async () => {
  await granted("one", "a", { limits: { maxTurns: 1 } });
  expect((await ask("two", "GET", `/${QUERY}`)).status).toBe(404);
  expect(await granted("two", "a", { limits: { maxTurns: 1 } })).toBe(1000);
  expect(await settle("three", "a", 1)).toBe(404);
  expect((await account("one")).spent.turns).toBe(1);
});

test("without a token nothing is booked and nothing shown", async () => {
  const { default: controlPlane } = await import("../../../workers/control-plane/index.ts");
  const bindings = { ...env, TROUPE_SECRET: "s".repeat(32) };
  for (const path of ["reserve", "settle", "cut", "cut-earlier-lives", "release", "tool-calls", "time-up"]) {
    const request = new Request(`http://localhost/v1/budgets/${path}`, { method: "POST", body: "{}" });
    expect((await controlPlane.fetch(request, bindings)).status).toBe(401);
  }
  expect((await controlPlane.fetch(new Request(`http://localhost/v1/budgets/${QUERY}`), bindings)).status).toBe(401);
});

test.for(["a/b?c=d&e#f", "%2F%", "..a", "Grüße ☕", "x".repeat(300), " ", "ctx~searcher.1.2.mac"])(
  "a query may have any id, such as %j",
  async (query) => {
    await granted("ids", "a", { query });
    expect(await account("ids", query)).toMatchObject({ query, spent: { turns: 1 } });
  },
);

test.for([
  ["no query", { query: "" }, "query"],
  ["a query of 301 characters", { query: "x".repeat(301) }, "query"],
  ["no answer", { maxTokens: 0 }, "maxTokens"],
  ["half a token", { inputTokens: 0.5 }, "inputTokens"],
  ["a negative request", { inputTokens: -1 }, "inputTokens"],
  ["more tokens than there are", { maxTokens: 1e10 }, "maxTokens"],
  ["a negative limit", { limits: { maxUsd: -1 } }, "limits.maxUsd"],
  ["a limit beyond what is counted exactly", { limits: { maxUsd: 9001 } }, "limits.maxUsd"],
  ["dollars without a price", { limits: { maxUsd: 1 } }, "model.price"],
  ["a price nobody asks", { price: { input: 1e9, output: 1, cacheRead: 1, cacheWrite: 1 } }, "100000 dollars"],
  ["a negative price", { price: { input: -1, output: 1, cacheRead: 1, cacheWrite: 1 } }, "price.input"],
  ["a wait of an hour", { waitMs: 3_600_000 }, "waitMs"],
  ["a field that there is not", { agnet: "searcher" }, "agnet"],
] as const)("a call with %s is refused, and nothing booked", async ([, changes, said]) => {
  const response = await ask("malformed", "POST", "/reserve", { ...call("a"), ...changes });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ detail: expect.stringContaining(said) });
  expect((await ask("malformed", "GET", `/${QUERY}`)).status).toBe(404);
});

test.for([
  ["settle", { query: QUERY, id: "a", usage: { inputTokens: 1 } }, "outputTokens"],
  ["settle", { query: QUERY, id: "a", usage: { inputTokens: -1, outputTokens: 1 } }, "inputTokens"],
  ["cut", { query: QUERY }, "id"],
  ["release", { id: "a" }, "query"],
  ["cut-earlier-lives", { query: QUERY, agent: "searcher", task: "task-1" }, "life"],
  ["cut-earlier-lives", { query: QUERY, agent: "searcher", task: "task-1", life: 2, id: "a" }, "id"],
  ["tool-calls", { ...toolCalls(), count: 0 }, "count"],
  ["tool-calls", { ...toolCalls(), count: 1.5 }, "count"],
] as const)("%s with %j is refused", async ([operation, body, said]) => {
  const response = await ask("malformed", "POST", `/${operation}`, body);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ detail: expect.stringContaining(said) });
});

test("what is not known is not found, and said to be so", async () => {
  expect(await (await ask("unknown", "GET", "/nobody")).json()).toMatchObject({
    status: 404,
    type: "/problems/unknown-query",
    detail: expect.stringContaining('"nobody"'),
  });
  for (const how of ["cut", "release"] as const) expect(await end("unknown", how, "a")).toBe(404);
  await granted("unknown", "a");
  expect(await settle("unknown", "b", 1)).toBe(404);
  expect(await end("unknown", "cut", "b")).toBe(404);
});

test("a life whose query has no account has left nothing open, and opens none", async () => {
  expect(await cutEarlierLives("nothing", 2)).toBe(204);
  expect((await ask("nothing", "GET", `/${QUERY}`)).status).toBe(404);
});

test("a call that was released before it was granted is not granted any more", async () => {
  await granted("late", "a");
  expect(await end("late", "release", "b")).toBe(204);
  const response = await ask("late", "POST", "/reserve", call("b"));
  expect([response.status, await response.json()]).toMatchObject([409, { type: "/problems/reservation-released" }]);
  expect((await account("late")).spent.turns).toBe(1);
});

test("a call that is released while it waits leaves the line", async () => {
  const limits = { maxTurns: 1 };
  await granted("left", "a", { limits });
  const waits = ask("left", "POST", "/reserve", call("b", { limits, waitMs: 20_000 }));
  await vi.waitFor(async () => expect((await account("left")).waiting).toBe(1), { timeout: 15_000, interval: 5 });
  await end("left", "release", "b");
  expect((await waits).status).toBe(409);
  expect(await account("left")).toMatchObject({ waiting: 0, exhausted: null });
});

test("a path that exists answers the wrong method with the right one", async () => {
  for (const [method, path, allow] of [
    ["GET", "/reserve", "POST"],
    ["PUT", "/settle", "POST"],
    ["GET", "/cut-earlier-lives", "POST"],
    ["POST", `/${QUERY}`, "GET"],
  ] as const) {
    const response = await ask("methods", method, path);
    expect([path, response.status, response.headers.get("allow")]).toEqual([path, 405, allow]);
  }
});

test("accounts are forgotten 60 days after their last change, a few with each one that is opened", async () => {
  const start = Date.UTC(2100, 0, 1);
  const object = objectOf("prune", "old 0");
  const [last = "", ...former] = queriesOf(object.id.toString(), 11);
  vi.useFakeTimers({ now: start, toFake: ["Date"] });
  for (const query of former) await granted("prune", "a", { query });
  vi.setSystemTime(start + 59 * DAY_MS);
  const [called = "", settled = "", searched = "", ...old] = former;
  await granted("prune", "b", { query: called });
  const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 1, cacheWriteTokens: 1 };
  await object.settle({ query: settled, id: "a", usage });
  await object.countToolCalls({ ...toolCalls(), query: searched, count: 1 });
  vi.setSystemTime(start + 60 * DAY_MS + 1);
  await granted("prune", "a", { query: last });
  const isKept = async (query: string) => (await object.account(query)) !== undefined;
  expect(await Promise.all([called, settled, searched, last].map(isKept))).toEqual([true, true, true, true]);
  expect((await Promise.all(old.map(isKept))).filter(Boolean)).toHaveLength(old.length - 5);
  const entries = await runInDurableObject(object, (_, state) =>
    state.storage.sql.exec("SELECT count(*) AS count FROM entries").one(),
  );
  expect(entries).toEqual({ count: 3 + 1 + 2 + (old.length - 5) });
});

/** Ids of queries whose accounts are in this object. */
function queriesOf(object: string, count: number): string[] {
  const ids = Array.from({ length: 200 }, (_, index) => `old ${index}`);
  return ids.filter((id) => objectOf("prune", id).id.toString() === object).slice(0, count);
}

function toolCalls() {
  return { query: QUERY, limits: {}, agent: "searcher", task: "task-1", id: "t" };
}

test("ids that are no text are refused, since two of them would be stored as the same one", async () => {
  for (const half of ["\ud83d", "a\udc00"]) {
    for (const changes of [{ query: half }, { agent: half }, { task: half }]) {
      const refused = await ask("halves", "POST", "/reserve", call("a", changes));
      expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("half a surrogate pair")]);
    }
    expect((await ask("halves", "POST", "/reserve", call(half))).status).toBe(400);
    expect((await ask("halves", "POST", "/settle", { query: QUERY, id: half, usage: {} })).status).toBe(400);
  }
});
