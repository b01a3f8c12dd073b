import { expect, test } from "vitest";
import { randomHex } from "#shared/tracing/trace-context.ts";
import type { TraceList, TraceSummary } from "#shared/control-plane/traces.ts";
import { call, span, store } from "./spans.ts";
import { job, ownJob, traceId } from "./own-job.ts";

ownJob();

const CHAT = { "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20 };

test("lists come newest first, page by page, over all shards", async () => {
  const ids = [];
  for (let n = 0; n < 12; n++) {
    const id = randomHex(16);
    ids.unshift(id);
    await store(job, [span({ traceId: id, start: Math.floor(n / 2), end: 100 })]);
  }
  const seen: TraceSummary[] = [];
  let pages = 0;
  for (let cursor: string | null = ""; cursor !== null; pages++) {
    const { traces, next }: TraceList = await list(`?limit=5${cursor === "" ? "" : `&cursor=${cursor}`}`);
    seen.push(...traces);
    cursor = next;
  }
  expect(pages).toBe(3);
  expect(new Set(seen.map(({ traceId }) => traceId))).toEqual(new Set(ids));
  expect(seen.map(({ startUs }) => startUs)).toEqual(seen.map(({ startUs }) => startUs).toSorted((a, b) => b - a));
});

test("lists are narrowed down by every criterion, and by several at once", async () => {
  const query = {
    "troupe.trace.kind": "query",
    "troupe.a2a.message": "Why is the SEA salty? Ünder",
    "troupe.a2a.answer": "Rivers carry Minerals.",
  };
  const [one, two, three] = [`aa${randomHex(15)}`, `ab${randomHex(15)}`, `ba${randomHex(15)}`];
  await store(job, [span({ traceId: one, name: "SendMessage", start: 0, end: 2000, attributes: query })]);
  await store(
    job,
    [span({ traceId: one, parentSpanId: randomHex(8), end: 5, status: { code: 2, message: "Disk Full" } })],
    "writer",
  );
  await store(job, [span({ traceId: two, start: 1000, attributes: { "troupe.trace.kind": "deploy" } })], "troupe");
  const costly = { ...CHAT, "troupe.cost.usd": 0.5 };
  await store(
    job,
    [span({ traceId: three, name: "Batch Job", start: 2000, end: 2001, attributes: costly, status: { code: 2 } })],
    "batch",
  );
  for (const [search, ids] of [
    ["", [three, two, one]],
    ["?kind=query", [one]],
    ["?kind=other", [three]],
    ["?agent=writer", [one]],
    ["?agent=writ", []],
    ["?status=open", [two]],
    ["?status=error", [three, one]],
    ["?status=ok", [one]],
    ["?since=2100-01-01T00:00:01Z", [three, two]],
    ["?until=2100-01-01T01:00:01%2B01:00", [one]],
    ["?since=2100-01-02", []],
    ["?minMs=1000", [one]],
    ["?minCost=0.4", [three]],
    ["?minCost=0", [three]],
    ["?text=sea%20SALTY", [one]],
    ["?text=%C3%BCNDER", [one]],
    ["?text=minerals", [one]],
    ["?text=disk%20full", [one]],
    ["?text=sendmess", [one]],
    ["?text=batch%20job", [three]],
    ["?text=%25", []],
    ["?id=a", [two, one]],
    [`?id=${one.toUpperCase()}`, [one]],
    ["?kind=query&status=error", [one]],
    ["?kind=query&agent=searcher&text=moon", []],
    ["?id=a&minMs=1&status=ok", [one]],
  ] as const) {
    const { traces } = await list(search);
    expect([search, traces.map(({ traceId }) => traceId)]).toEqual([search, ids]);
  }
});

test("what can be searched of a trace has a bound", async () => {
  const messages = Array.from({ length: 100 }, (_, n) =>
    span({ traceId, end: 1, status: { code: 2, message: `${n} ${"x".repeat(900)}` } }),
  );
  await store(job, messages);
  const attributes = { "troupe.trace.kind": "query", "troupe.a2a.message": `${"y".repeat(4000)}beyond` };
  await store(job, [span({ traceId, end: 2, attributes })]);
  expect((await list("?text=beyond")).traces).toEqual([]);
  expect((await list(`?text=${"y".repeat(100)}`)).traces).toHaveLength(1);
  expect((await list(`?text=0%20xxx`)).traces).toHaveLength(1);
  expect((await list(`?text=99%20xxx`)).traces).toEqual([]);
});

test.for([
  ["kind=mine", "kind"],
  ["status=done", "status"],
  ["since=yesterday", "must be an ISO 8601 time"],
  ["minMs=-1", "minMs"],
  ["minCost=much", "minCost"],
  ["id=xyz", "must be the first hex digits"],
  ["limit=0", "limit"],
  ["limit=1001", "limit"],
  ["cursor=abc", "must be what `next`"],
  ["agnet=searcher", "agnet"],
  [`text=${"x".repeat(501)}`, "text"],
] as const)("a list with %s is refused with what is wrong", async ([query, word]) => {
  const response = await call(job, `/v1/traces?${query}`);
  expect(response.status).toBe(400);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.json()).toMatchObject({
    type: "/problems/invalid-request",
    detail: expect.stringContaining(word),
  });
});

async function list(search: string): Promise<TraceList> {
  const response = await call(job, `/v1/traces${search}`);
  expect(response.status).toBe(200);
  return response.json();
}
