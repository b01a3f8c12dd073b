// Traces for Perfetto: held against the rules of the Trace Event Format by which it nests slices and binds arrows.
import { describe, expect, test } from "vitest";
import * as z from "zod";

import { chromeTrace } from "../../../../scripts/traces/draw/chrome.ts";
import type { Span } from "../../../../scripts/traces/span.ts";
import { question, span, START_US } from "./made-up.ts";
import { resourceSpansOf } from "./store-double.ts";

const at = { pid: z.int(), tid: z.int() };
const Slice = z.strictObject({
  ph: z.literal("X"),
  cat: z.string(),
  name: z.string(),
  ...at,
  ts: z.int(),
  dur: z.int().nonnegative(),
  args: z.record(z.string(), z.unknown()),
});
const Flow = z.strictObject({
  ph: z.enum(["s", "f"]),
  cat: z.string(),
  name: z.string(),
  id: z.int(),
  ts: z.int(),
  ...at,
  bp: z.optional(z.literal("e")),
});
type Flow = z.infer<typeof Flow>;
const Meta = z.strictObject({ ph: z.literal("M"), name: z.string(), ...at, args: z.record(z.string(), z.unknown()) });
const Document = z.strictObject({
  traceEvents: z.array(z.union([Slice, Flow, Meta])),
  displayTimeUnit: z.literal("ms"),
  otherData: z.record(z.string(), z.string()),
});

function exported(spans: readonly Span[], nowMs = 2_000) {
  const nowUs = START_US + nowMs * 1_000;
  const document: unknown = chromeTrace(resourceSpansOf(spans, "4bf92f3577b34da6a3ce929d0e0e4736"), "job", nowUs);
  const { traceEvents } = Document.parse(JSON.parse(JSON.stringify(document)));
  const slices = traceEvents.filter((event) => event.ph === "X");
  const flows = traceEvents.filter((event): event is Flow => event.ph === "s" || event.ph === "f");
  const threads = new Map(
    traceEvents.flatMap((event) =>
      event.ph === "M" && event.name === "thread_name" ? [[event.tid, String(event.args["name"])]] : [],
    ),
  );
  return { traceEvents, slices, flows, threads };
}

type Exported = ReturnType<typeof exported>;

/** Slices of a thread come in the order of time, and each lies within the one before or behind it. Returns those that do not. */
function misplaced({ slices, threads }: Exported): string[] {
  const wrong: string[] = [];
  for (const tid of threads.keys()) {
    const around: { ts: number; end: number }[] = [];
    let last = -Infinity;
    for (const { name, ts, dur } of slices.filter((slice) => slice.tid === tid)) {
      while (around.length > 0 && (around.at(-1)?.end ?? 0) <= ts) around.pop();
      if (ts < last || ts + dur > (around.at(-1)?.end ?? Infinity)) wrong.push(name);
      last = ts;
      around.push({ ts, end: ts + dur });
    }
  }
  return wrong;
}

/** An arrow begins and ends in the slice that comes right before it, and leads forward in time. Returns those that do not. */
function unbound({ traceEvents, flows }: Exported): Flow[] {
  const isBound = (flow: Flow): boolean => {
    const slice = traceEvents.slice(0, traceEvents.indexOf(flow)).findLast((event) => event.ph === "X");
    return slice?.tid === flow.tid && flow.ts >= slice.ts && flow.ts < slice.ts + slice.dur;
  };
  const isForward = ({ id, ph, ts, cat, name, bp }: Flow): boolean => {
    const ends = flows.filter((flow) => flow.id === id);
    const [other] = ends.filter((flow) => flow.ph !== ph && flow.cat === cat && flow.name === name);
    if (ends.length !== 2 || other === undefined) return false;
    return ph === "s" ? ts <= other.ts : bp === "e";
  };
  return flows.filter((flow) => !isBound(flow) || !isForward(flow));
}

describe("a question", () => {
  const trace = exported(question());

  test("is one process with a thread for each agent", () => {
    expect([...trace.threads.values()]).toEqual(["coordinator", "searcher"]);
    expect(trace.traceEvents.filter(({ name }) => name === "process_name")).toMatchObject([{ args: { name: "job" } }]);
  });
  test("has its spans as complete slices in microseconds, with their attributes", () => {
    expect(trace.slices).toHaveLength(9);
    expect(trace.slices[2]).toMatchObject({ name: "chat claude", ts: START_US + 10_000, dur: 190_000 });
    expect(trace.slices[2]?.args).toMatchObject({
      "gen_ai.usage.input_tokens": 1_200,
      "gen_ai.operation.name": "chat",
    });
  });
  test("has an arrow from the call to the peer's span", () => {
    expect(trace.flows.map(({ ph, tid, ts }) => [ph, trace.threads.get(tid), ts - START_US])).toEqual([
      ["s", "coordinator", 210_000],
      ["f", "searcher", 220_000],
    ]);
  });
  test("keeps the rules", () => {
    expect(misplaced(trace)).toEqual([]);
    expect(unbound(trace)).toEqual([]);
  });
});

test("an arrow is bound to the peer's own span where all began within one tick of the clock", () => {
  const call = span("call", 0, 10, { kind: 3 });
  const served = span("served", 0, 11, { kind: 2, agent: "searcher", parentId: call.spanId });
  const turn = span("turn", 0, 11, { agent: "searcher", parentId: served.spanId });
  const trace = exported([turn, served, call]);
  expect(trace.slices.map(({ name }) => name)).toEqual(["call", "served", "turn"]);
  expect(trace.flows).toHaveLength(2);
  expect(unbound(trace)).toEqual([]);
});

describe("spans of one agent", () => {
  test("that overlap get threads of their own, with what is below them", () => {
    const root = span("SendMessage", 0, 100);
    const [a, b] = [span("a", 10, 50, { parentId: root.spanId }), span("b", 20, 60, { parentId: root.spanId })];
    const below = span("below b", 30, 10, { parentId: b.spanId });
    const trace = exported([root, a, b, below]);
    expect(trace.slices.map(({ name, tid }) => [name, trace.threads.get(tid)])).toEqual([
      ["SendMessage", "coordinator"],
      ["a", "coordinator"],
      ["b", "coordinator (2)"],
      ["below b", "coordinator (2)"],
    ]);
    expect(misplaced(trace)).toEqual([]);
  });

  test("do not look like parts of each other where they only ran at the same time", () => {
    const trace = exported([span("first", 0, 100), span("other", 10, 20)]);
    expect([...trace.threads.values()]).toEqual(["coordinator", "coordinator (2)"]);
  });

  test("that follow each other share a thread", () => {
    expect([...exported([span("first", 0, 10), span("next", 10, 10)]).threads.values()]).toEqual(["coordinator"]);
  });

  test("that outlast their parent are put where they do not break out of it", () => {
    const root = span("SendMessage", 0, 50);
    const trace = exported([root, span("late", 40, 30, { parentId: root.spanId })]);
    expect(misplaced(trace)).toEqual([]);
    expect(trace.threads.size).toBe(2);
  });
});

test("what is open lasts until now and says so", () => {
  const [slice] = exported([span("SendMessage", 0, null)], 700).slices;
  expect(slice).toMatchObject({ dur: 700_000, args: { open: true } });
});

test("no arrow leads back in time, or from or to an instant", () => {
  const call = { kind: 3 };
  const server = (parentId: string, startMs: number, tookMs: number) =>
    span("served", startMs, tookMs, { parentId, kind: 2, agent: "searcher" });
  const early = span("call", 50, 10, call);
  const instant = span("instant", 50, 0, call);
  const late = span("skewed", 50, 100, call);
  const spans = [early, server(early.spanId, 0, 20), instant, server(instant.spanId, 60, 10)];
  expect(exported(spans).flows).toEqual([]);
  const skewed = exported([late, server(late.spanId, 40, 30)]);
  expect(skewed.flows.map(({ ph, ts }) => [ph, ts - START_US])).toEqual([
    ["f", 50_001],
    ["s", 50_000],
  ]);
});

test("a trace of nothing, and one whose parents go in a circle, are valid too", () => {
  expect(exported([]).slices).toEqual([]);
  const ring = [span("a", 0, 10, { spanId: "a", parentId: "b" }), span("b", 0, 10, { spanId: "b", parentId: "a" })];
  expect(misplaced(exported(ring))).toEqual([]);
});

test("a thousand overlapping spans keep the rules", () => {
  const root = span("SendMessage", 0, 2_000);
  const spans = [root];
  for (let index = 0; index < 1_000; index++) {
    const parentId = spans[Math.floor(index / 3)]?.spanId ?? "";
    spans.push(span(`s${index}`, index % 97, (index * 7) % 211, { parentId, agent: `agent${index % 3}` }));
  }
  const trace = exported(spans);
  expect(trace.slices).toHaveLength(1_001);
  expect(misplaced(trace)).toEqual([]);
});
