// Exports that are small and cost much, and values that nobody could pass on.
import { runInDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { randomHex } from "#shared/tracing/trace-context.ts";
import { toAttributes } from "#shared/tracing/otlp.ts";
import type { Traces } from "../../../workers/control-plane/traces/traces.ts";
import { job, ownJob, traceId } from "./own-job.ts";
import { call, page, post, resource, rows, shardWith, span, START, store } from "./spans.ts";

ownJob();

const PROTOBUF = { "content-type": "application/x-protobuf" };

/** A protobuf field that holds `bytes`. */
function field(number: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const length: number[] = [];
  for (let left = bytes.length; ; left = Math.floor(left / 128)) {
    length.push((left % 128) + (left > 127 ? 128 : 0));
    if (left < 128) break;
  }
  return new Uint8Array([(number << 3) | 2, ...length, ...bytes]);
}

function repeated(bytes: readonly number[], times: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: bytes.length * times }, (_, index) => bytes[index % bytes.length] ?? 0);
}

test("a million empty spans in protobuf are refused before they are read", async () => {
  const spans = repeated([0x12, 0x00], 1_000_000);
  const body = field(1, field(2, spans));
  const response = await post(job, body, PROTOBUF);
  expect(response.status).toBe(413);
});

test("a million empty attributes of one span are refused too", async () => {
  const span = field(2, repeated([0x4a, 0x00], 1_000_000));
  const response = await post(job, field(1, field(2, span)), PROTOBUF);
  expect(response.status).toBe(413);
});

test("a million empty spans in JSON are refused before they are read", async () => {
  const body = `{"resourceSpans":[{"scopeSpans":[{"spans":[${"{},".repeat(1_000_000)}{}]}]}]}`;
  expect((await post(job, body)).status).toBe(413);
});

test("a request whose spans are nearly all wrong is refused as one, and says why", async () => {
  const spans = Array.from({ length: 1_100 }, () => ({ ...span({ traceId }), spanId: "wrong" }));
  const response = await post(job, { resourceSpans: [resource("searcher", spans)] });
  expect([response.status, await response.text()]).toEqual([
    400,
    expect.stringContaining("more than 1000 of its spans"),
  ]);
});

test("one resource with thousands of scopes is stored, each with its own spans", async () => {
  const scopeSpans = Array.from({ length: 700 }, (_, n) => ({
    scope: { name: `scope ${n}` },
    spans: [span({ traceId, end: 1 })],
  }));
  const attributes = toAttributes({ "service.name": "searcher", text: "x".repeat(10_000) });
  const response = await post(job, { resourceSpans: [{ resource: { attributes }, scopeSpans }] });
  expect([response.status, await response.text()]).toEqual([200, "{}"]);
  expect((await page(job, traceId)).trace.spans).toBe(700);
});

test("pages hold no more than an answer can carry, and all of them together everything", async () => {
  const spans = Array.from({ length: 2_000 }, (_, n) =>
    span({ traceId, end: 1, status: { code: 2, message: `${n} ${"ж".repeat(900)}` }, name: `${n} ${"y".repeat(480)}` }),
  );
  for (let at = 0; at < 10; at++) await store(job, spans.slice(200 * at, 200 * (at + 1)));
  for (let n = 0; n < 10; n++) {
    await store(
      job,
      spans.map((each) => ({ ...each, spanId: randomHex(8), name: `${n} ${each.name}`.slice(0, 500) })),
    );
  }
  let seen = 0;
  let pages = 0;
  for (let after: number | null = 0; after !== null; pages++) {
    const next = await page(job, traceId, { after, limit: 10_000 });
    seen += next.columns.seq.length;
    after = next.next;
  }
  expect([seen, pages > 1]).toEqual([22_000, true]);
  expect((await call(job, `/v1/traces/${traceId}/otlp?limit=10000`)).status).toBe(200);
});

test("a span with a start in 1970 is refused alone, and says why", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const old = { ...span({ traceId, end: 1 }), startTimeUnixNano: "1000" };
  const spans = [old, span({ traceId, end: 1, name: "good" })];
  const response = await post(job, { resourceSpans: [resource("searcher", spans)] });
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("more than 30 days ago")]);
  expect((await rows(job, traceId)).map(({ name }) => name)).toEqual(["good"]);
});

test.each([
  ["an end in the future", { endTimeUnixNano: "18446744073709551615" }, "ends more than an hour from now"],
  ["a whole number beyond 64 bits", { attributes: [{ key: "n", value: { intValue: 1e300 } }] }, "more than 64 bits"],
  ["bytes that are no base64", { attributes: [{ key: "b", value: { bytesValue: "!" } }] }, "of the wrong type"],
])("a span with %s is kept without that, and says why", async (_, wrong, reason) => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const spans = [{ ...span({ traceId, end: 1 }), ...wrong }, span({ traceId, end: 1, name: "good" })];
  const response = await post(job, { resourceSpans: [resource("searcher", spans)] });
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining(reason)]);
  expect((await rows(job, traceId)).map(({ name }) => name)).toEqual(["span", "good"]);
});

test("an alarm that fails is set again", async () => {
  await store(job, [span({ traceId, end: 1 })]);
  const shard = shardWith(job, traceId);
  await runInDurableObject(shard, async (traces: Traces, { storage }) => {
    storage.sql.exec("DROP TABLE trace_texts");
    vi.setSystemTime(START + 365 * 86_400_000);
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await traces.alarm();
    expect(await storage.getAlarm()).not.toBeNull();
  });
  expect(await runDurableObjectAlarm(shard)).toBe(true);
});
