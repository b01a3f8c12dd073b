import { beforeEach, expect, test, vi } from "vitest";
import { randomHex } from "#shared/tracing/trace-context.ts";
import { ForwardingJob, QUERY, spansOf } from "./forwarding-job.ts";
import { atStart } from "./own-job.ts";
import { nano, span, START, store } from "./spans.ts";

atStart();
let job: ForwardingJob;
beforeEach(() => {
  vi.spyOn(console, "warn").mockReturnValue();
  job = new ForwardingJob();
});

test.for(["http/json", "http/protobuf"])(
  "a trace is forwarded whole over %s when its root has ended, ids, resource and scope as they came",
  async (protocol) => {
    job = new ForwardingJob({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol });
    const root = job.ended({
      spanId: randomHex(8),
      attributes: { ...QUERY, text: "tïdes", list: ["a"], whole: 7, part: 0.5 },
    });
    const child = {
      ...job.ended({ parentSpanId: root.spanId, start: 1 }),
      startTimeUnixNano: `${START + 1}000001`,
      links: [{ traceId: randomHex(16), spanId: randomHex(8), attributes: [] }],
      events: [{ timeUnixNano: nano(2), name: "retry", attributes: [] }],
      status: { message: "a status that is longer than forty characters", code: 2 },
    };
    await job.store([child, root]);
    await job.store([job.ended({ parentSpanId: root.spanId })], "summarizer");
    await job.ring(1000);
    const [request, ...more] = await job.received();
    expect(more).toEqual([]);
    expect(request).toMatchObject({ path: "/v1/traces", status: 200 });
    expect(request?.headers["content-type"]).toBe(
      protocol === "http/json" ? "application/json" : "application/x-protobuf",
    );
    expect(spansOf(request)).toEqual(
      [
        { agent: "searcher", ...child },
        { agent: "searcher", ...root },
        { agent: "summarizer", spanId: expect.any(String) },
      ].map((span) => expect.objectContaining(span)),
    );
  },
);

test("protobuf is what is spoken when nothing else is asked for", async () => {
  await job.store([job.ended({ attributes: QUERY })]);
  await job.ring(1000);
  expect((await job.received())[0]?.headers["content-type"]).toBe("application/x-protobuf");
});

test("headers are sent decoded, those for traces before those for all", async () => {
  const elsewhere = job;
  job = new ForwardingJob({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://elsewhere.test",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${elsewhere.collector}/otlp/here`,
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20abc%3D,x-team=one",
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: "X-Team=two",
  });
  await job.store([job.ended({ attributes: QUERY })]);
  await job.ring(1000);
  expect(await elsewhere.received()).toMatchObject([
    { path: "/otlp/here", headers: { authorization: "Basic abc=", "x-team": "two" } },
  ]);
});

test("without an endpoint nothing is forwarded, and no alarm is set for it", async () => {
  job = new ForwardingJob({ OTEL_EXPORTER_OTLP_ENDPOINT: "" });
  await job.store([job.ended({ attributes: QUERY })]);
  expect(await job.alarm()).toBe(7 * 86_400_000);
});

test("nothing is forwarded before the trace has been quiet for a second after its root's end", async () => {
  await job.store([job.ended({ attributes: QUERY })]);
  expect(await job.alarm()).toBe(1000);
  vi.setSystemTime(START + 900);
  await job.store([job.ended({ parentSpanId: randomHex(8) })]);
  await job.ring(1000);
  expect(await job.received()).toEqual([]);
  expect(await job.alarm()).toBe(2000);
  await job.ring(2000);
  expect(spansOf((await job.received())[0])).toHaveLength(2);
});

test("a trace whose root is open is forwarded as far as it has ended, when nothing has come for five minutes", async () => {
  const open = { spanId: randomHex(8), attributes: QUERY };
  await job.store([span({ traceId: job.traceId, ...open }), job.ended({ parentSpanId: open.spanId, name: "child" })]);
  await job.ring(299_999);
  expect(await job.received()).toEqual([]);
  await job.ring(300_000);
  expect(spansOf((await job.received())[0])).toMatchObject([{ name: "child" }]);
  vi.setSystemTime(START + 400_000);
  await job.store([job.ended(open)]);
  await job.ring(401_000);
  expect(spansOf((await job.received())[1])).toMatchObject([{ spanId: open.spanId }]);
});

test("late spans are forwarded in a later go, and only they", async () => {
  await job.store([job.ended({ attributes: QUERY })]);
  await job.ring(1000);
  await job.store([job.ended({ name: "late", parentSpanId: randomHex(8) })]);
  await job.ring(2000);
  expect((await job.received()).map((request) => spansOf(request).length)).toEqual([1, 1]);
  expect(spansOf((await job.received())[1])).toMatchObject([{ name: "late" }]);
  expect(await job.alarm()).toBe(7 * 86_400_000);
});

test("traces that are due together go in one request, large ones in several of about a megabyte", async () => {
  const content = "x".repeat(100_000);
  const many = Array.from({ length: 25 }, () => job.ended({ parentSpanId: randomHex(8), attributes: { content } }));
  await job.store([job.ended({ attributes: QUERY }), ...many]);
  const other = job.sibling();
  await job.store([job.ended({ traceId: other, attributes: QUERY })]);
  await job.ring(1000);
  const requests = await job.received();
  expect(requests.map((request) => spansOf(request).length)).toEqual([10, 9, 8]);
  expect(new Set(requests.flatMap(spansOf).map(({ traceId }) => traceId))).toEqual(new Set([job.traceId, other]));
});

test("resources count for the size of a request", async () => {
  for (let n = 0; n < 30; n++)
    await store(job.name, [job.ended({ attributes: QUERY })], "searcher", `${"x".repeat(60_000)}${n}`);
  await job.ring(1000);
  expect((await job.received()).map((request) => spansOf(request).length)).toEqual([16, 14]);
});

test("a resource that many spans share counts once", async () => {
  const many = Array.from({ length: 40 }, () => job.ended({ parentSpanId: randomHex(8) }));
  await store(job.name, [job.ended({ attributes: QUERY }), ...many], "searcher", "x".repeat(60_000));
  await job.ring(1000);
  expect((await job.received()).map((request) => spansOf(request).length)).toEqual([41]);
});

test("of very many traces that are due some are looked at at a time, and the alarm rings again at once", async () => {
  job = new ForwardingJob({ OTEL_TRACES_SAMPLER_ARG: "0" });
  await job.store(Array.from({ length: 2500 }, () => job.ended({ traceId: job.sibling(), attributes: QUERY })));
  await job.ring(1000);
  expect(await job.alarm()).toBe(1000);
  await job.ring(1000);
  expect(await job.alarm()).toBe(7 * 86_400_000);
});

test("of ordinary traces a share is forwarded by trace id; errors, slow and costly ones always are", async () => {
  const low = `${"a".repeat(18)}00000000000000`;
  const high = `${"a".repeat(18)}f0000000000000`;
  const settings = { OTEL_TRACES_SAMPLER_ARG: "0.5", TROUPE_TRACES_SLOW: "5s", TROUPE_TRACES_COSTLY: "0.02" };
  job = new ForwardingJob(settings, low);
  const id = (first: string, rest = low) => `${first}${rest.slice(first.length)}`;
  const chat = { "gen_ai.operation.name": "chat", "troupe.cost.usd": 0.02 };
  await job.store([
    job.ended({ traceId: id("1"), attributes: QUERY }),
    job.ended({ traceId: id("2"), attributes: QUERY }),
    job.ended({ traceId: id("2"), parentSpanId: randomHex(8), status: { code: 2 } }),
    job.ended({ traceId: id("3"), end: 5001, attributes: QUERY }),
    job.ended({ traceId: id("4"), attributes: QUERY }),
    job.ended({ traceId: id("4"), parentSpanId: randomHex(8), attributes: chat }),
    job.ended({ traceId: id("5", high), attributes: QUERY }),
  ]);
  await job.ring(1000);
  const seen = new Set((await job.received()).flatMap(spansOf).map(({ traceId }) => traceId[0]));
  expect(seen).toEqual(new Set(["2", "3", "4", "5"]));
});

test("a trace that was left out is forwarded whole when it turns out to have failed", async () => {
  job = new ForwardingJob({ OTEL_TRACES_SAMPLER_ARG: "0" });
  await job.store([job.ended({ attributes: QUERY })]);
  await job.ring(1000);
  expect(await job.received()).toEqual([]);
  await job.store([job.ended({ parentSpanId: randomHex(8), status: { code: 2 } })]);
  await job.ring(2000);
  expect(spansOf((await job.received())[0])).toHaveLength(2);
});

test("a setting that is wrong is named in the log and not used", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  job = new ForwardingJob({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" });
  await job.store([job.ended({ attributes: QUERY })]);
  expect(warn.mock.calls.flat().join("\n")).toContain("OTEL_EXPORTER_OTLP_PROTOCOL must be http/json or http/protobuf");
  await job.ring(1000);
  expect(await job.received()).toHaveLength(1);
});
