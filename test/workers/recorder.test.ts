// Spans as they are recorded and put into OTLP.
import { afterEach, expect, it, vi } from "vitest";
import { resourceFromAttributes } from "@opentelemetry/resources";
import * as z from "zod";
import { Outbox } from "../../shared/tracing/outbox.ts";
import { Recorder, type RecordedSpan } from "../../shared/tracing/recorder.ts";
import { contextOf } from "../../shared/tracing/tracer.ts";

const Request = z.object({
  resourceSpans: z.array(
    z.object({ scopeSpans: z.array(z.object({ spans: z.array(z.object({ name: z.string() })) })) }),
  ),
});

function recorder() {
  const changes: RecordedSpan[] = [];
  const parts = { resource: resourceFromAttributes({}), content: () => undefined };
  return { changes, tracer: new Recorder({ ...parts, onChange: (span) => changes.push(span) }) };
}

afterEach(() => void vi.restoreAllMocks());

it("a span does not end before it began, though the clock goes back", () => {
  const { tracer } = recorder();
  const begun = Date.now();
  const span = tracer.start({ name: "a", attributes: {}, startTime: begun });
  vi.spyOn(Date, "now").mockReturnValue(begun - 60_000);
  span.end();
  expect(span.endTime).toEqual(span.startTime);
});

it("a span is handed on when it begins and once when it ends, however often it is ended", () => {
  const { tracer, changes } = recorder();
  const span = tracer.start({ name: "a", attributes: {} });
  span.end();
  span.end();
  expect(changes).toEqual([span, span]);
});

it("an exception that a tool records becomes an event", () => {
  const { tracer } = recorder();
  const span = tracer.start({ name: "a", attributes: {} });
  span.recordException(new TypeError("no such thing"));
  expect(span.events.map(({ name, attributes }) => [name, attributes?.["exception.type"]])).toEqual([
    ["exception", "TypeError"],
  ]);
});

it("a number that JSON cannot say becomes a word, and costs no span", async () => {
  const { tracer } = recorder();
  const span = tracer
    .start({ name: "a", attributes: {} })
    .setAttribute("n", Number.NaN)
    .setAttributes({ m: -Infinity });
  expect(span.attributes).toEqual({ n: "NaN", m: "-Infinity" });
});

it("a child is in its parent's trace, another beginning is in none that is known", () => {
  const { tracer } = recorder();
  const parent = tracer.start({ name: "a", attributes: {} });
  const child = tracer.start({ name: "b", attributes: {}, parent: contextOf(parent) });
  expect([child.spanContext().traceId, child.parentSpanId]).toEqual(Object.values(contextOf(parent)));
  expect(tracer.start({ name: "c", attributes: {} }).spanContext().traceId).not.toBe(parent.spanContext().traceId);
});

it("many large spans go in several requests, none left out", async () => {
  const sizes: number[] = [];
  const names: string[] = [];
  const outbox = new Outbox(async (request) => {
    sizes.push(request.byteLength);
    const { resourceSpans } = Request.parse(JSON.parse(new TextDecoder().decode(request)));
    for (const { scopeSpans } of resourceSpans) {
      names.push(...scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name)));
    }
  });
  const work: Promise<unknown>[] = [];
  const parts = { resource: resourceFromAttributes({}), content: () => undefined };
  const tracer = new Recorder({ ...parts, onChange: (span) => outbox.add(span, (send) => work.push(send)) });
  for (let n = 0; n < 100; n++) tracer.start({ name: `span ${n}`, attributes: { text: "x".repeat(30_000) } }).end();
  await Promise.all(work);
  expect(names).toEqual(Array.from({ length: 100 }, (_, n) => `span ${n}`));
  expect(Math.max(...sizes)).toBeLessThan(1_000_000);
});
