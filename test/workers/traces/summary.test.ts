import { expect, test, vi } from "vitest";
import { randomHex } from "#shared/tracing/trace-context.ts";
import type { TraceSummary } from "#shared/control-plane/traces.ts";
import { job, ownJob, traceId } from "./own-job.ts";
import { span, type SpanParts, START, store, summary } from "./spans.ts";

ownJob();

const CHAT = { "gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20 };

test("a summary adds up what the spans of a query say", async () => {
  const root = randomHex(8);
  await store(job, [
    span({
      traceId,
      spanId: root,
      parentSpanId: randomHex(8),
      name: "SendMessage",
      end: 250.5,
      attributes: {
        "troupe.trace.kind": "query",
        "troupe.a2a.message": "How do tides work?",
        "troupe.a2a.answer": "The moon.",
      },
    }),
    span({ traceId, parentSpanId: root, start: 1, end: 20, attributes: { ...CHAT, "troupe.cost.usd": 0.1 } }),
    span({ traceId, parentSpanId: root, start: 1, end: 20, attributes: { ...CHAT, "troupe.cost.usd": 0.2 } }),
    span({ traceId, parentSpanId: root, start: 2, attributes: { "gen_ai.operation.name": "execute_tool" } }),
  ]);
  const sub = span({
    traceId,
    parentSpanId: root,
    end: 9,
    attributes: { "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 999 },
    status: { code: 2, message: "late" },
  });
  await store(job, [sub], "summarizer");
  expect(await summary(job, traceId)).toEqual({
    traceId,
    kind: "query",
    name: "SendMessage",
    agent: "searcher",
    agents: ["searcher", "summarizer"],
    startTime: "2100-01-01T00:00:00.000Z",
    startUs: START * 1000,
    durationMs: 250.5,
    status: "ok",
    spans: 5,
    openSpans: 1,
    errors: 1,
    modelCalls: 2,
    inputTokens: 200,
    outputTokens: 40,
    costUsd: 0.3,
    text: "How do tides work?",
    bytes: expect.any(Number),
  } satisfies TraceSummary);
});

test("without any price there is no cost, and a long question is cut to 200 characters", async () => {
  const attributes = { "troupe.trace.kind": "query", "troupe.a2a.message": "q".repeat(500) };
  await store(job, [span({ traceId, end: 5, attributes }), span({ traceId, end: 5, attributes: CHAT })]);
  expect(await summary(job, traceId)).toMatchObject({ costUsd: null, modelCalls: 1, text: "q".repeat(200) });
});

test("a trace is open while its root is, failed when its root is, and takes as long as its root", async () => {
  const root: SpanParts = { traceId, spanId: randomHex(8), attributes: { "troupe.trace.kind": "deploy" } };
  await store(job, [span(root), span({ traceId, parentSpanId: randomHex(8), end: 900, status: { code: 2 } })]);
  expect(await summary(job, traceId)).toMatchObject({ status: "open", durationMs: null, kind: "deploy", openSpans: 1 });
  await store(job, [span({ ...root, end: 80, status: { code: 2, message: "No." } })]);
  expect(await summary(job, traceId)).toMatchObject({ status: "error", durationMs: 80, openSpans: 0 });
});

test.for<[string, SpanParts[], string]>([
  [
    "says so, wherever it hangs",
    [
      { name: "early" },
      { name: "root", parentSpanId: "00000000000000ff", start: 5, attributes: { "troupe.trace.kind": "query" } },
    ],
    "root",
  ],
  [
    "has no parent",
    [
      { name: "child", parentSpanId: "00000000000000ff" },
      { name: "root", start: 5 },
    ],
    "root",
  ],
  [
    "has no parent and began first",
    [
      { name: "second", start: 2 },
      { name: "root", start: 1 },
    ],
    "root",
  ],
  [
    "has a parent that is not there and began first",
    [
      { name: "b", parentSpanId: "00000000000000fe", start: 1 },
      { name: "root", parentSpanId: "00000000000000ff" },
    ],
    "root",
  ],
  [
    "stands above the span that began first",
    [
      { name: "child", spanId: "00000000000000a2", parentSpanId: "00000000000000a1" },
      { name: "root", spanId: "00000000000000a1", parentSpanId: "00000000000000ff", start: 1 },
    ],
    "root",
  ],
])("the root of a trace is the span that %s", async ([, spans, name]) => {
  const all = spans.map((parts) => span({ traceId, end: 100, ...parts }));
  for (const [index, order] of [all, all.toReversed()].entries()) {
    await store(`${job} ${index}`, order);
    expect(await summary(`${job} ${index}`, traceId)).toMatchObject({ name });
    for (const one of order) await store(`${job} ${index} apart`, [one]);
    expect(await summary(`${job} ${index} apart`, traceId)).toMatchObject({ name });
  }
});

test("of very many agents a summary names two hundred", async () => {
  await Promise.all(Array.from({ length: 210 }, async (_, n) => store(job, [span({ traceId, end: 1 })], `agent${n}`)));
  const { agents, spans } = await summary(job, traceId);
  expect([agents.length, spans]).toEqual([200, 210]);
});

test("spans that are each other's parents do not make anybody wait", async () => {
  const [a, b] = ["00000000000000a1", "00000000000000b1"];
  await store(job, [
    span({ traceId, spanId: a, parentSpanId: b, end: 3 }),
    span({ traceId, spanId: b, parentSpanId: a, end: 3 }),
  ]);
  expect(await summary(job, traceId)).toMatchObject({ spans: 2 });
});

test("a trace whose root has a parent that never comes is open until it has been quiet for a minute", async () => {
  await store(job, [span({ traceId, parentSpanId: randomHex(8), start: 1, end: 5 })]);
  await store(job, [span({ traceId, parentSpanId: randomHex(8), start: 3, end: 40 })]);
  expect(await summary(job, traceId)).toMatchObject({ status: "open", durationMs: null });
  vi.setSystemTime(START + 61_000);
  expect(await summary(job, traceId)).toMatchObject({ status: "ok", durationMs: 39 });
});
