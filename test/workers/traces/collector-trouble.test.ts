import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, test, vi } from "vitest";
import { randomHex } from "#shared/tracing/trace-context.ts";
import { ForwardingJob, QUERY, spansOf } from "./forwarding-job.ts";
import { atStart } from "./own-job.ts";
import { shardWith, START } from "./spans.ts";

atStart();
let job: ForwardingJob;
beforeEach(() => {
  vi.spyOn(console, "warn").mockReturnValue();
  job = new ForwardingJob();
});

test("a collector that is down for hours loses nothing: it is asked ever less often, and gets all when it is back", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  await job.answer(...Array.from({ length: 9 }, () => ({ status: 503 })));
  await job.store([job.ended({ attributes: QUERY })]);
  const waits = [];
  for (let time = 1000, n = 0; n < 8; n++) {
    await job.ring(time);
    const next = (await job.alarm()) ?? 0;
    waits.push(next - time);
    time = next;
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  await job.store([job.ended({ traceId: job.sibling(), attributes: QUERY })]);
  await evictDurableObject(shardWith(job.name, job.traceId));
  await job.ring(10_800_000);
  expect(await job.alarm()).toBe(10_860_000);
  await job.ring(10_860_000);
  const requests = await job.received();
  expect(requests.map(({ status }) => status)).toEqual([...Array.from({ length: 9 }, () => 503), 200]);
  expect(spansOf(requests.at(-1))).toHaveLength(2);
  expect(warn.mock.calls.flat().filter((line: string) => line.includes("takes no spans"))).toHaveLength(1);
  expect(warn.mock.calls.flat().filter((line: string) => line.includes("takes spans again"))).toHaveLength(1);
});

test("an alarm that fails rings again ten seconds later, not at once, and then forwards all", async () => {
  const shard = () => shardWith(job.name, job.traceId);
  const rename = async (from: string, to: string) =>
    runInDurableObject(shard(), (_, { storage }) => void storage.sql.exec(`ALTER TABLE ${from} RENAME TO ${to}`));
  await job.store([job.ended({ attributes: QUERY })]);
  await rename("spans", "unreadable");
  await job.ring(1000);
  expect(await job.alarm()).toBe(11_000);
  await rename("unreadable", "spans");
  await job.ring(11_000);
  expect((await job.received()).map(({ status }) => status)).toEqual([200]);
});

test("new spans do not make a collector that is down be asked earlier", async () => {
  await job.answer({ status: 500 }, { status: 500 });
  await job.store([job.ended({ attributes: QUERY })]);
  await job.ring(1000);
  await job.ring(2000);
  vi.setSystemTime(START + 2100);
  await job.store([job.ended({ traceId: job.sibling(), attributes: QUERY })]);
  await job.ring(3100);
  expect(await job.received()).toHaveLength(2);
  expect(await job.alarm()).toBe(4000);
});

test.for([
  ["seconds", { status: 429, headers: { "retry-after": "120" } }],
  ["a date", { status: 503, headers: { "retry-after": new Date(START + 121_000).toUTCString() } }],
] as const)("a collector that says in %s when it wants to be asked again is asked then", async ([, busy]) => {
  await job.answer(busy);
  await job.store([job.ended({ attributes: QUERY })]);
  await job.ring(1000);
  expect(await job.alarm()).toBe(121_000);
  await job.ring(121_000);
  expect((await job.received()).map(({ status }) => status)).toEqual([busy.status, 200]);
});

test.for([401, 404, 302])("an answer %d is a failure of the collector: the spans wait", async (status) => {
  await job.answer({ status });
  await job.store([job.ended({ attributes: QUERY })]);
  await job.ring(1000);
  await job.ring(2000);
  expect((await job.received()).map(({ status }) => status)).toEqual([status, 200]);
});

test("a request that is too large for the collector is sent in halves", async () => {
  await job.answer({ status: 413, overBytes: 500 });
  await job.store(Array.from({ length: 16 }, (_, n) => job.ended({ name: `${n}`, attributes: QUERY })));
  await job.ring(1000);
  const requests = await job.received();
  expect(requests[0]?.status).toBe(413);
  const taken = requests.filter(({ status }) => status === 200).flatMap(spansOf);
  expect(taken.map(({ name }) => name)).toEqual(Array.from({ length: 16 }, (_, n) => `${n}`));
  expect(await job.alarm()).toBe(7 * 86_400_000);
});

test("a span that is refused alone while others are taken is given up with a line in the log", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  await job.answer({ status: 400, overBytes: 50_000, body: "too much" });
  const large = job.ended({ name: "large", parentSpanId: randomHex(8), attributes: { content: "x".repeat(60_000) } });
  await job.store([large, job.ended({ attributes: QUERY }), job.ended({ parentSpanId: randomHex(8) })]);
  await job.ring(1000);
  const taken = (await job.received()).filter(({ status }) => status === 200).flatMap(spansOf);
  expect(taken).toHaveLength(2);
  expect(warn.mock.calls.flat().join("\n")).toContain(`refuses the span ${large.spanId} of the trace ${job.traceId}`);
  expect(await job.alarm()).toBe(7 * 86_400_000);
});

test("a collector that refuses everything is taken to be at fault: the spans wait", async () => {
  await job.answer({ status: 400, overBytes: 0 });
  await job.store(Array.from({ length: 40 }, () => job.ended({ attributes: QUERY })));
  await job.ring(1000);
  expect((await job.received()).length).toBeLessThan(30);
  await job.answer();
  await job.ring(2000);
  expect(spansOf((await job.received()).at(-1))).toHaveLength(40);
});

test("a span that cannot be encoded is given up with a line in the log, and holds up nothing", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  const bad = job.ended({ parentSpanId: randomHex(8), attributes: { key: "text" } });
  await job.store([bad, job.ended({ name: "good", attributes: QUERY })]);
  await runInDurableObject(shardWith(job.name, job.traceId), (_, { storage }) => {
    const sql = `UPDATE spans SET json = replace(json, '"stringValue":"text"', '"bytesValue":"?"') WHERE span_id = ?`;
    storage.sql.exec(sql, bad.spanId);
  });
  await job.ring(1000);
  expect(await taken()).toEqual(["good"]);
  expect(warn.mock.calls.flat().join("\n")).toContain(`refuses the span ${bad.spanId}`);
  expect(await job.alarm()).toBe(7 * 86_400_000);
});

test.for([400, 413])("many spans refused with %d do not hold up what is behind them", async (status) => {
  await job.answer({ status, containing: "poison" });
  await job.store(poison(20));
  await job.store([good("one"), good("two")]);
  await job.ring(1000);
  expect((await taken()).toSorted()).toEqual(["one", "two"]);
});

test("nor do large ones, of which each is a request of its own", async () => {
  await job.answer({ status: 413, containing: "poison" });
  for (const span of poison(12, "x".repeat(590_000))) await job.store([span]);
  await job.store([good("one")]);
  await job.ring(1000);
  await job.ring(2000);
  expect(await taken()).toEqual(["one"]);
});

test("a span refused alone waits while there is nothing else that the collector could take", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  await job.answer({ status: 400, containing: "poison" });
  await job.store([good("one")]);
  await job.ring(1000);
  await job.store(poison(1));
  await job.ring(2000);
  await job.ring(3000);
  expect(warn.mock.calls.flat().join("\n")).not.toContain("refuses the span");
  await job.store([good("two")]);
  await job.ring(5000);
  expect(await taken()).toEqual(["one", "two"]);
  expect(warn.mock.calls.flat().join("\n")).toContain("refuses the span");
  expect(await job.alarm()).toBe(7 * 86_400_000);
});

test.for([500, 422, 504])(
  "a span that fails with %d three times while others are taken is given up, and the others forwarded once",
  async (status) => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    await job.answer({ status, containing: "poison" });
    await job.store([...poison(1), ...["one", "two", "three", "four"].map(good)]);
    await job.ring(1000);
    await job.ring(2000);
    expect(await taken()).toEqual([]);
    await job.ring(4000);
    expect((await taken()).toSorted()).toEqual(["four", "one", "three", "two"]);
    expect(warn.mock.calls.flat().filter((line: string) => line.includes("refuses the span"))).toHaveLength(1);
    expect(await job.alarm()).toBe(7 * 86_400_000);
  },
);

test("what waits behind a trace that fails is found wherever it is in the queue", async () => {
  await job.answer({ status: 500, containing: "poison" });
  await job.store([...poison(9), good("one"), ...poison(9)]);
  for (let n = 0, time = 1000; n < 8; n++) {
    await job.ring(time);
    time = (await job.alarm()) ?? 0;
  }
  expect(await taken()).toEqual(["one"]);
});

test("a trace whose spans fail together is sent in halves after three times", async () => {
  await job.answer({ status: 504, overBytes: 500 });
  await job.store(Array.from({ length: 16 }, (_, n) => job.ended({ name: `${n}`, attributes: QUERY })));
  for (const time of [1000, 2000]) await job.ring(time);
  expect(await taken()).toEqual([]);
  await job.ring(4000);
  expect((await taken()).toSorted()).toEqual(Array.from({ length: 16 }, (_, n) => `${n}`).toSorted());
  expect(await job.alarm()).toBe(7 * 86_400_000);
});

test.for([503, 500, 422, 401])("a collector that answers %d to all, however long, loses nothing", async (status) => {
  await job.answer({ status, overBytes: 0 });
  await job.store(Array.from({ length: 30 }, (_, n) => good(`${n}`)));
  for (let n = 0, time = 1000; n < 12; n++) {
    await job.ring(time);
    time = (await job.alarm()) ?? 0;
  }
  expect((await job.received()).length).toBeLessThanOrEqual(12 + 10 * 4);
  await job.answer();
  await job.ring((await job.alarm()) ?? 0);
  expect(await taken()).toEqual(Array.from({ length: 30 }, (_, n) => `${n}`));
});

test("a collector that begins to fail while a trace is sent in halves loses nothing", async () => {
  const failure = { status: 500 };
  await job.answer(failure, failure, failure, { status: 200 }, ...Array.from({ length: 40 }, () => failure));
  await job.store(Array.from({ length: 30 }, (_, n) => good(`${n}`)));
  for (const time of [1000, 2000, 4000]) await job.ring(time);
  await job.answer();
  await job.ring((await job.alarm()) ?? 0);
  expect((await taken()).toSorted()).toEqual(Array.from({ length: 30 }, (_, n) => `${n}`).toSorted());
});

test("a span that a busy collector does not take is never given up", async () => {
  await job.answer({ status: 503, containing: "poison" });
  await job.store([...poison(1), good("one")]);
  for (const time of [1000, 2000, 4000, 8000]) await job.ring(time);
  await job.answer();
  await job.ring(16_000);
  expect(await taken()).toEqual(["poison", "one"]);
});

test("a long queue is worked off by several alarms, one right after the other", async () => {
  const content = "x".repeat(500_000);
  for (let n = 0; n < 45; n++)
    await job.store([job.ended({ parentSpanId: "00000000000000aa", attributes: { ...QUERY, content } })]);
  await job.ring(1000);
  expect(await job.received()).toHaveLength(20);
  expect(await job.alarm()).toBe(1000);
  await job.ring(1000);
  await job.ring(1000);
  expect((await job.received()).flatMap(spansOf)).toHaveLength(45);
});

test("what a collector says of spans that it did not take is in the log", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  await job.answer({
    status: 200,
    body: '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"attributes too long"}}',
  });
  await job.store([job.ended({ attributes: QUERY })]);
  await job.ring(1000);
  expect(warn.mock.calls.flat().join("\n")).toContain("it rejected 3 spans: attributes too long");
});

/** Spans of as many traces, for which the collector may be told to answer otherwise. */
function poison(count: number, content = "") {
  return Array.from({ length: count }, () =>
    job.ended({ traceId: job.sibling(), name: "poison", attributes: { ...QUERY, content } }),
  );
}

/** A span of a trace of its own. */
function good(name: string) {
  return job.ended({ traceId: job.sibling(), name, attributes: QUERY });
}

/** Names of the spans that the collector took. */
async function taken() {
  const requests = await job.received();
  return requests.filter(({ status }) => status === 200).flatMap((request) => spansOf(request).map(({ name }) => name));
}
