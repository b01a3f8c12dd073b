import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, test, vi } from "vitest";
import { randomHex } from "#shared/tracing/trace-context.ts";
import { allShards } from "../../../workers/control-plane/traces/shards.ts";
import { ownJob, traceId } from "./own-job.ts";
import { shardWith, span, type SpanParts, START, store, traceIds } from "./spans.ts";
import { jobWith } from "./test-traces.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const QUERY = { "troupe.trace.kind": "query" };

ownJob();
beforeEach(() => void vi.spyOn(console, "warn").mockReturnValue());

test("a trace is deleted when it is too old, by an alarm that is set for that moment", async () => {
  const job = jobWith(randomHex(4), { TROUPE_TRACES_MAX_AGE: "2d" });
  const younger = sibling();
  await store(job, [ended({}), ended({ traceId: younger, start: HOUR / 2, end: HOUR })]);
  expect(await alarmTime(job)).toBe(START + 2 * DAY);
  await ring(job, 2 * DAY);
  expect(await traceIds(job)).toEqual([younger]);
  expect(await alarmTime(job)).toBe(START + 2 * DAY + HOUR / 2);
  await ring(job, 2 * DAY + HOUR / 2);
  expect(await traceIds(job)).toEqual([]);
  expect(await alarmTime(job)).toBeNull();
});

test("with a trace go its spans, its texts, and sources that nothing else has", async () => {
  const job = jobWith(randomHex(4), { TROUPE_TRACES_MAX_AGE: "1h" });
  await store(job, [ended({ status: { code: 2, message: "no" } })], "gone");
  vi.setSystemTime(START + 3 * HOUR);
  const kept = sibling();
  await store(job, [ended({ traceId: kept, start: 3 * HOUR, end: 3 * HOUR })], "kept");
  await ring(job, 3 * HOUR);
  const counts = await runInDurableObject(shardWith(job, traceId), (_, { storage }) =>
    ["traces", "spans", "trace_texts", "sources"].map(
      (table) => storage.sql.exec<{ count: number }>(`SELECT count(*) AS count FROM ${table}`).one().count,
    ),
  );
  expect(counts).toEqual([1, 1, 1, 1]);
});

test("an open trace is not deleted before it is a day old", async () => {
  const job = jobWith(randomHex(4), { TROUPE_TRACES_MAX_AGE: "1h" });
  await store(job, [span({ traceId, attributes: QUERY })]);
  await ring(job, HOUR);
  expect(await traceIds(job)).toEqual([traceId]);
  await ring(job, DAY - 1);
  expect(await traceIds(job)).toEqual([traceId]);
  await ring(job, DAY + HOUR);
  expect(await traceIds(job)).toEqual([]);
});

test("a trace that waits to be forwarded is not deleted for its age, until it is forwarded", async () => {
  const collector = await collectorThatFails(1);
  const job = jobWith(randomHex(4), { TROUPE_TRACES_MAX_AGE: "1h", OTEL_EXPORTER_OTLP_ENDPOINT: collector });
  await store(job, [ended({})]);
  await ring(job, 2 * HOUR);
  expect(await traceIds(job)).toEqual([traceId]);
  await ring(job, 3 * HOUR);
  expect(await traceIds(job)).toEqual([]);
  expect(await (await env.COLLECTOR.fetch(collector)).json()).toHaveLength(2);
});

test("when all objects together have too much, the oldest traces of all of them go", async () => {
  const job = jobWith(randomHex(4), { TROUPE_TRACES_MAX_MB: "2" });
  const ids = await fill(job, 30);
  await ringAll(job, HOUR);
  const left = await traceIds(job);
  expect(left.length).toBeGreaterThan(12);
  expect(left.length).toBeLessThan(20);
  expect(left).toEqual(ids.slice(-left.length).toSorted());
  expect(await totalSize(job)).toBeLessThan(2 * 1024 * 1024);
});

test("what is within the size stays", async () => {
  const job = jobWith(randomHex(4), { TROUPE_TRACES_MAX_MB: "4" });
  await fill(job, 30);
  await ringAll(job, HOUR);
  expect(await traceIds(job)).toHaveLength(30);
});

test("traces that wait to be forwarded are deleted for the size only when there is twice as much, and the log says so", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  const collector = await collectorThatFails(1000);
  const job = jobWith(randomHex(4), { TROUPE_TRACES_MAX_MB: "1", OTEL_EXPORTER_OTLP_ENDPOINT: collector });
  const first = await fill(job, 14);
  await ringAll(job, HOUR);
  expect(await traceIds(job)).toHaveLength(14);
  const ids = [...first, ...(await fill(job, 14, 14))];
  await ringAll(job, 2 * HOUR);
  const left = await traceIds(job);
  expect(left.length).toBeLessThan(14);
  expect(left).toEqual(ids.slice(-left.length).toSorted());
  expect(warn.mock.calls.flat().join("\n")).toMatch(/\d+ were deleted before they were forwarded/);
});

test("open traces that are younger than a day stay, however much there is", async () => {
  const job = jobWith(randomHex(4), { TROUPE_TRACES_MAX_MB: "1" });
  await store(job, [span({ traceId, attributes: { ...QUERY, content: "x".repeat(100_000) } })]);
  await fill(job, 30, 1);
  await ringAll(job, HOUR);
  expect(await traceIds(job)).toContain(traceId);
  expect((await traceIds(job)).length).toBeLessThan(12);
});

function ended(parts: SpanParts) {
  return span({ traceId, end: 10, attributes: QUERY, ...parts });
}

/** Another trace of the same object. */
function sibling(): string {
  return randomHex(14) + traceId.slice(-4);
}

/** Stores so many traces of 100 KB, each a second younger than the one before, spread over all objects. */
async function fill(job: string, count: number, from = 0): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, n) => `${randomHex(14)}${(n % 4).toString(16).padStart(4, "0")}`);
  for (const [n, id] of ids.entries()) {
    const start = (from + n) * 1000;
    await store(job, [
      ended({ traceId: id, start, end: start + 1, attributes: { ...QUERY, content: "x".repeat(100_000) } }),
    ]);
  }
  return ids;
}

async function ring(job: string, afterStart: number): Promise<void> {
  vi.setSystemTime(START + afterStart);
  await runDurableObjectAlarm(shardWith(job, traceId));
}

async function ringAll(job: string, afterStart: number): Promise<void> {
  vi.setSystemTime(START + afterStart);
  for (const shard of allShards(env, job)) await runDurableObjectAlarm(shard);
}

function alarmTime(job: string): Promise<number | null> {
  return runInDurableObject(shardWith(job, traceId), (_, state) => state.storage.getAlarm());
}

async function totalSize(job: string): Promise<number> {
  const sizes = await Promise.all(allShards(env, job).map((shard) => shard.size()));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function collectorThatFails(times: number): Promise<string> {
  const url = `http://${randomHex(8)}.collector.test`;
  const answers = Array.from({ length: times }, () => ({ status: 503 }));
  await env.COLLECTOR.fetch(url, { method: "PUT", body: JSON.stringify(answers) });
  return url;
}
