import { expect, test } from "vitest";
import { randomHex } from "#shared/tracing/trace-context.ts";
import type { TracePage } from "#shared/control-plane/traces.ts";
import { job, ownJob, traceId } from "./own-job.ts";
import { call, rows, span, START, store, toRows, traceIds } from "./spans.ts";

ownJob();

const CHAT = { "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20 };

test("the spans of a trace come in the order of their changes, page by page, each with its columns", async () => {
  const [root, call1] = [randomHex(8), randomHex(8)];
  await store(job, [
    span({ traceId, spanId: root, name: "SendMessage", kind: 2, attributes: { "a2a.method.name": "SendMessage" } }),
  ]);
  await store(job, [
    span({
      traceId,
      spanId: call1,
      parentSpanId: root,
      name: "chat offline",
      kind: 3,
      start: 1,
      end: 3,
      attributes: { ...CHAT, "troupe.cost.usd": 0.25 },
      status: { code: 2, message: "overloaded" },
    }),
  ]);
  const response = await call(job, `/v1/traces/${traceId}?limit=1`);
  expect(response.headers.get("content-type")).toBe("application/json");
  const first: TracePage = await response.json();
  expect(first).toMatchObject({ trace: { traceId, spans: 2 }, next: 1 });
  const second: TracePage = await (await call(job, `/v1/traces/${traceId}?after=1`)).json();
  expect(second.next).toBeNull();
  expect(second.columns).toEqual({
    strings: ["", "chat offline", "searcher", "overloaded", "chat"],
    seq: [2],
    spanId: [call1],
    parentId: [root],
    name: [1],
    agent: [2],
    kind: [3],
    startUs: [(START + 1) * 1000],
    durationUs: [2000],
    status: [2],
    message: [3],
    provisional: [0],
    operation: [4],
    inputTokens: [100],
    outputTokens: [20],
    costUsd: [0.25],
  });
  expect(toRows(first.columns)).toMatchObject([
    { spanId: root, parentId: "", operation: "SendMessage", durationUs: -1 },
  ]);
});

test("who asks again with the highest seq gets what is new or has changed since", async () => {
  const id = randomHex(8);
  await store(job, [span({ traceId, spanId: id }), span({ traceId })]);
  await store(job, [span({ traceId, spanId: id, end: 4 })]);
  const { columns, next }: TracePage = await (await call(job, `/v1/traces/${traceId}?after=2`)).json();
  expect(next).toBeNull();
  expect(toRows(columns)).toMatchObject([{ seq: 3, spanId: id, durationUs: 4000 }]);
  const nothing: TracePage = await (await call(job, `/v1/traces/${traceId}?after=3`)).json();
  expect(nothing.columns.seq).toEqual([]);
});

test("spans come back as OTLP, grouped by resource and scope, page by page", async () => {
  const spans = Array.from({ length: 3 }, (_, n) => span({ traceId, start: n, end: 10 }));
  await store(job, spans.slice(0, 2), "one");
  await store(job, spans.slice(2), "two");
  const all = await (await call(job, `/v1/traces/${traceId}/otlp`)).json<{ resourceSpans: unknown[]; next: null }>();
  expect(all).toMatchObject({
    resourceSpans: [
      { scopeSpans: [{ scope: { name: "test" }, spans: spans.slice(0, 2) }] },
      { scopeSpans: [{ spans: spans.slice(2) }] },
    ],
    next: null,
  });
  expect(await (await call(job, `/v1/traces/${traceId}/otlp?limit=2`)).json()).toEqual({
    resourceSpans: [all.resourceSpans[0]],
    next: 2,
  });
  expect(await (await call(job, `/v1/traces/${traceId}/otlp?after=2`)).json()).toEqual({
    resourceSpans: [all.resourceSpans[1]],
    next: null,
  });
});

test("a page of OTLP has a bounded size, whatever number of spans is asked for", async () => {
  const content = "x".repeat(500_000);
  for (let n = 0; n < 20; n++) await store(job, [span({ traceId, end: 1, attributes: { content } })]);
  const first = await (await call(job, `/v1/traces/${traceId}/otlp`)).json<{ next: number }>();
  expect(first.next).toBe(15);
  expect(await (await call(job, `/v1/traces/${traceId}/otlp?after=15`)).json()).toMatchObject({ next: null });
});

test.for(["GET /v1/traces/ID", "GET /v1/traces/ID/otlp", "DELETE /v1/traces/ID"])(
  "%s of a trace that is not there is a problem",
  async (request) => {
    const [method = "", path = ""] = request.split(" ");
    for (const id of [traceId, "abc"]) {
      const response = await call(job, path.replace("ID", id), { method });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        type: "/problems/unknown-trace",
        detail: expect.stringContaining(id),
      });
    }
  },
);

test("a trace that is deleted is gone, and comes anew when a span of it does", async () => {
  await store(job, [span({ traceId, end: 3 }), span({ traceId, end: 4 })]);
  expect((await call(job, `/v1/traces/${traceId}`, { method: "DELETE" })).status).toBe(204);
  expect((await call(job, `/v1/traces/${traceId}`)).status).toBe(404);
  await store(job, [span({ traceId, end: 5 })]);
  expect(await rows(job, traceId)).toHaveLength(1);
});

test("all traces that began before a time are deleted in one go", async () => {
  for (let n = 0; n < 6; n++) await store(job, [span({ traceId: randomHex(16), start: n * 1000, end: 9000 })]);
  const path = "/v1/traces?before=2100-01-01T00:00:04Z";
  expect(await (await call(job, path, { method: "DELETE" })).json()).toEqual({ deleted: 4 });
  expect(await (await call(job, path, { method: "DELETE" })).json()).toEqual({ deleted: 0 });
  expect(await traceIds(job)).toHaveLength(2);
  expect((await call(job, "/v1/traces", { method: "DELETE" })).status).toBe(400);
});

test("without a token nothing is read or deleted", async () => {
  await store(job, [span({ traceId, end: 3 })]);
  for (const path of [
    "/v1/traces",
    `/v1/traces/${traceId}`,
    `/v1/traces/${traceId}/otlp`,
    "/v1/traces?before=2200-01-01",
  ]) {
    const method = path.includes("before") ? "DELETE" : "GET";
    const response = await call(job, path, { method, headers: { authorization: "" } });
    expect([path, response.status, response.headers.get("content-type")]).toEqual([
      path,
      401,
      "application/problem+json",
    ]);
  }
  expect(await rows(job, traceId)).toHaveLength(1);
});

test("a path that exists answers the wrong method with the right ones", async () => {
  for (const [method, path, allow] of [
    ["PUT", "/v1/traces", "GET, POST, DELETE"],
    ["POST", `/v1/traces/${traceId}`, "GET, DELETE"],
    ["DELETE", `/v1/traces/${traceId}/otlp`, "GET"],
  ] as const) {
    const response = await call(job, path, { method });
    expect([path, response.status, response.headers.get("allow")]).toEqual([path, 405, allow]);
  }
});
