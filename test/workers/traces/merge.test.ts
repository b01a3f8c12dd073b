import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { randomHex } from "#shared/tracing/trace-context.ts";
import type { Traces } from "../../../workers/control-plane/traces/traces.ts";
import { spanRecord } from "../../support/span-record.ts";
import { job, ownJob, traceId } from "./own-job.ts";
import { page, rows, shardWith, span, START, store, summary } from "./spans.ts";

ownJob();

const ID = "00000000000000a1";
const open = () => span({ traceId, spanId: ID, name: "work" });
const ended = (end = 10) => span({ traceId, spanId: ID, name: "work", end });
const provisional = () =>
  span({
    traceId,
    spanId: ID,
    name: "work",
    end: 5,
    attributes: { "troupe.span.provisional": true },
    status: { code: 2, message: "lost" },
  });

test("an end takes the place of its start, whichever comes first", async () => {
  await store(job, [open()]);
  expect(await rows(job, traceId)).toMatchObject([{ seq: 1, durationUs: -1 }]);
  await store(job, [ended()]);
  expect(await rows(job, traceId)).toMatchObject([{ seq: 2, durationUs: 10_000 }]);
  await store(job, [open()]);
  expect(await rows(job, traceId)).toMatchObject([{ seq: 2, durationUs: 10_000 }]);
});

test("an agent's own end takes the place of a provisional one, whichever comes first", async () => {
  await store(job, [open()]);
  await store(job, [provisional()]);
  expect(await rows(job, traceId)).toMatchObject([{ durationUs: 5000, status: 2, provisional: 1 }]);
  expect(await summary(job, traceId)).toMatchObject({ errors: 1, openSpans: 0, spans: 1 });
  await store(job, [ended()]);
  expect(await rows(job, traceId)).toMatchObject([{ seq: 3, durationUs: 10_000, status: 0, provisional: 0 }]);
  expect(await summary(job, traceId)).toMatchObject({ errors: 0, openSpans: 0, spans: 1 });
  expect((await store(job, [provisional()])).count).toBe(0);
  expect(await rows(job, traceId)).toMatchObject([{ seq: 3, durationUs: 10_000, status: 0, provisional: 0 }]);
});

test("of two provisional ends the first stays, and nothing is refused", async () => {
  await store(job, [provisional()]);
  expect((await store(job, [{ ...provisional(), name: "other" }])).count).toBe(0);
  expect(await rows(job, traceId)).toMatchObject([{ seq: 1, name: "work" }]);
});

test("a second end that differs is refused with its span's id, and the first stays", async () => {
  await store(job, [ended()]);
  const rejected = await store(job, [ended(20), span({ traceId, end: 1 })]);
  expect(rejected.count).toBe(1);
  expect(rejected.toString()).toContain(`span "${ID}": it has ended already, and differently`);
  expect(await rows(job, traceId)).toMatchObject([{ spanId: ID, durationUs: 10_000 }, { durationUs: 1000 }]);
});

test("two different ends in one batch are treated like two batches", async () => {
  const rejected = await store(job, [open(), ended(), ended(20)]);
  expect(rejected.count).toBe(1);
  expect(await rows(job, traceId)).toMatchObject([{ seq: 1, durationUs: 10_000 }]);
  expect(await summary(job, traceId)).toMatchObject({ spans: 1, openSpans: 0 });
});

test("a start that comes again with more is told anew", async () => {
  await store(job, [open()]);
  await store(job, [{ ...open(), name: "more work" }]);
  expect(await rows(job, traceId)).toMatchObject([{ seq: 2, name: "more work", durationUs: -1 }]);
  expect(await summary(job, traceId)).toMatchObject({ spans: 1, openSpans: 1 });
});

test("the same batch twice changes nothing", async () => {
  const attributes = { "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7, "troupe.cost.usd": 0.1 };
  const batch = [
    span({ traceId, end: 9, attributes: { "troupe.trace.kind": "query" } }),
    span({ traceId, end: 4, attributes }),
    span({ traceId, end: 5, status: { code: 2, message: "no" } }),
    span({ traceId }),
    open(),
    ended(),
  ];
  await store(job, batch);
  const before = await page(job, traceId);
  vi.setSystemTime(START + 5000);
  expect((await store(job, batch)).count).toBe(0);
  expect(await page(job, traceId)).toEqual(before);
  await evictDurableObject(shardWith(job, traceId));
  expect((await store(job, batch)).count).toBe(0);
  expect(await page(job, traceId)).toEqual(before);
});

test("the order of arrival does not matter: children before parents, ends before starts", async () => {
  const root = randomHex(8);
  const middle = randomHex(8);
  const leaf = randomHex(8);
  const usage = { "gen_ai.operation.name": "chat", "gen_ai.usage.output_tokens": 5 };
  const batches = [
    [span({ traceId, spanId: leaf, parentSpanId: middle, start: 2, end: 4, attributes: usage })],
    [span({ traceId, spanId: middle, parentSpanId: root, start: 1, end: 5, status: { code: 2, message: "oh" } })],
    [span({ traceId, spanId: root, end: 9, name: "SendMessage", attributes: { "troupe.trace.kind": "query" } })],
    [span({ traceId, spanId: root, name: "SendMessage", attributes: { "troupe.trace.kind": "query" } })],
    [span({ traceId, spanId: leaf, parentSpanId: middle, start: 2, attributes: usage })],
  ];
  const seen: unknown[] = [];
  for (const order of [batches, batches.toReversed()]) {
    const own: string = `${job} ${seen.length}`;
    for (const batch of order) await store(own, batch);
    seen.push(await summary(own, traceId));
  }
  expect(seen[0]).toEqual(seen[1]);
  expect(seen[0]).toMatchObject({
    kind: "query",
    name: "SendMessage",
    status: "ok",
    durationMs: 9,
    spans: 3,
    openSpans: 0,
    errors: 1,
    modelCalls: 1,
    outputTokens: 5,
  });
});

test("what several agents send at a time is stored in its order, and each is answered for itself", async () => {
  const other = randomHex(8);
  await store(job, [ended()], "searcher");
  const answers = await Promise.all([
    store(job, [span({ traceId, spanId: other, name: "chat" }), ended(20)], "searcher"),
    store(job, [span({ traceId, end: 1 })], "summarizer"),
    store(job, [span({ traceId, spanId: other, name: "chat", end: 7 })], "searcher"),
  ]);
  expect(answers.map(({ count }) => count)).toEqual([1, 0, 0]);
  expect(answers[0]?.toString()).toContain(`span "${ID}": it has ended already, and differently`);
  const stored = await rows(job, traceId);
  expect(stored).toMatchObject([{ spanId: ID, durationUs: 10_000 }, {}, {}]);
  expect(stored.find(({ spanId }) => spanId === other)).toMatchObject({ durationUs: 7000, agent: "searcher" });
  const agents = expect.arrayContaining(["searcher", "summarizer"]);
  expect(await summary(job, traceId)).toMatchObject({ spans: 3, openSpans: 0, agents });
});

test("spans that wait for others to be stored with are there for whoever reads", async () => {
  await store(job, [open()], "searcher");
  const waiting = store(job, [span({ traceId, end: 1 })], "summarizer");
  await vi.waitFor(async () => expect(await rows(job, traceId)).toHaveLength(2), { interval: 1, timeout: 200 });
  expect((await waiting).count).toBe(0);
});

test("an object that was evicted goes on where it was", async () => {
  await store(job, [open(), span({ traceId })]);
  await evictDurableObject(shardWith(job, traceId));
  await store(job, [ended()]);
  expect(await rows(job, traceId)).toMatchObject([{ seq: 2 }, { seq: 3, spanId: ID, durationUs: 10_000 }]);
  expect(await summary(job, traceId)).toMatchObject({ spans: 2, openSpans: 1, agents: ["searcher"] });
});

test("a batch that cannot be stored whole is not stored at all", async () => {
  const shard = shardWith(job, traceId);
  const json = '{"attributes":[]}';
  const record = spanRecord({
    traceId,
    spanId: ID,
    name: "work",
    startUs: START * 1000,
    durationUs: 5,
    bytes: 2,
    json,
  });
  const source = { resource: "{}", scope: "{}", agent: "a", instance: "" };
  const second = { ...record, spanId: "00000000000000a2", source: 1 };
  await runInDurableObject(shard, async (traces: Traces) =>
    expect(traces.store({ sources: [source], spans: [record, second] })).rejects.toThrow("no source 1"),
  );
  expect(await shard.page(traceId, { after: 0, limit: 1 })).toBeUndefined();
  await shard.store({ sources: [source], spans: [record] });
  expect(await rows(job, traceId)).toMatchObject([{ seq: 1, agent: "a" }]);
});
