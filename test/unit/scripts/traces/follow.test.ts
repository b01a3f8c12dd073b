// Following a trace that still runs: what is asked for, what is shown, and when it ends.
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { STATUS } from "#shared/tracing/otlp.ts";

import { PLAIN_SCREEN } from "../../../../scripts/terminal/screen.ts";
import { follow, tell, untilComplete } from "../../../../scripts/traces/draw/follow.ts";
import { LiveTrace } from "../../../../scripts/traces/store/live-trace.ts";
import type { Span, TraceSummary } from "../../../../scripts/traces/span.ts";
import { recordedIo } from "../io.ts";
import { span, summary } from "./made-up.ts";
import { TraceStoreDouble } from "./store-double.ts";

/** So that no test waits for the next look. */
const POLL_MS = 1;
const { traceId } = summary();
const OPEN = summary({ status: "open", durationMs: null, openSpans: 1 });

let double: TraceStoreDouble;
beforeEach(async () => {
  double = await TraceStoreDouble.start();
});
afterEach(async () => double[Symbol.asyncDispose]());

/** Puts the next state in before each look; the last one stays. */
function runs(states: readonly (readonly [TraceSummary, readonly Span[]])[]): void {
  let look = 0;
  double.onRequest = () => {
    const state = states[look++];
    if (state !== undefined) double.put(...state);
  };
}

const begun = span("SendMessage", 0, null);
const chat = span("chat claude", 10, 200, { parentId: begun.spanId, status: STATUS.error, message: "Overloaded." });
const ended = { ...begun, seq: chat.seq + 1, durationUs: 500_000 };

test("elsewhere than in a terminal each beginning and each end is one line", async () => {
  runs([
    [OPEN, [begun]],
    [OPEN, [begun]],
    [OPEN, [begun, chat]],
    [summary({ durationMs: 500 }), [chat, ended]],
  ]);
  const io = recordedIo();
  await follow(double.store(), traceId, io, () => PLAIN_SCREEN, POLL_MS);
  expect(io.printed).toEqual([
    "   +0.000 s  begins  coordinator: SendMessage",
    "   +0.210 s  failed  coordinator: chat claude after 200 ms: Overloaded.",
    "   +0.500 s  ends    coordinator: SendMessage after 500 ms",
  ]);
  const afters = double.requests.map((request) => new URL(request.slice(4), double.url).searchParams.get("after"));
  expect(afters).toEqual(["0", begun.seq, begun.seq, chat.seq, ended.seq, ended.seq].map(String));
});

test("in a terminal the tree is drawn over itself, and at the end whole", async () => {
  runs([
    [OPEN, [begun]],
    [summary({ durationMs: 500 }), [chat, ended]],
  ]);
  const io = recordedIo();
  await follow(
    double.store(),
    traceId,
    io,
    () => ({ ...PLAIN_SCREEN, isTerminal: true, columns: 100, rows: 12 }),
    POLL_MS,
  );
  const [first = "", second = "", ...rest] = io.printed;
  expect(first.startsWith("\u001b[0J")).toBe(true);
  expect(first).toContain("still open");
  const height = first.split("\n").length - 1;
  expect(second.startsWith(`\u001b[${height}A\u001b[0J`)).toBe(true);
  expect(rest.at(-1)).toContain("Critical path");
});

test("a tree that is higher than the terminal is shown from its end while it runs", async () => {
  const spans = [begun];
  for (let index = 0; index < 40; index++) spans.push(span(`chat ${index}`, index, 1, { parentId: begun.spanId }));
  runs([
    [OPEN, spans],
    [summary({ durationMs: 500 }), [...spans.slice(1), { ...ended, seq: 1_000_000 }]],
  ]);
  const io = recordedIo();
  await follow(double.store(), traceId, io, () => ({ ...PLAIN_SCREEN, isTerminal: true, rows: 20 }), POLL_MS);
  expect(io.printed[0]?.split("\n").length).toBeLessThanOrEqual(20);
  expect(io.printed[0]).toContain("lines above");
  expect(io.printed.at(-1)?.split("\n").length).toBeGreaterThan(40);
});

test("an interruption ends it", async () => {
  double.put(OPEN, [begun]);
  const interruption = new AbortController();
  double.onRequest = () => interruption.abort(new Error("Interrupted."));
  const io = recordedIo(interruption.signal);
  const following = follow(double.store(interruption.signal), traceId, io, () => PLAIN_SCREEN, POLL_MS);
  await expect(following).rejects.toThrow("Interrupted.");
});

test("a trace that is deleted meanwhile ends it, with what happened", async () => {
  runs([[OPEN, [begun]]]);
  const look = double.onRequest;
  double.onRequest = () => {
    look();
    if (double.requests.length === 3) double.delete(traceId);
  };
  await expect(follow(double.store(), traceId, recordedIo(), () => PLAIN_SCREEN, POLL_MS)).rejects.toMatchObject({
    code: "failed",
    message: `The trace ${traceId} was deleted meanwhile.`,
  });
});

test("an answer's trace is waited for even if nothing of it has come", async () => {
  runs([]);
  double.onRequest = () => {
    if (double.requests.length === 3) double.put(summary(), [ended]);
  };
  const trace = await untilComplete(double.store(), traceId, new AbortController().signal, POLL_MS);
  expect([trace.isComplete, trace.spans]).toEqual([true, [ended]]);
});

describe("a trace counts as complete", () => {
  const look = (trace: LiveTrace, of: TraceSummary, spans: readonly Span[] = [], times = 1): boolean => {
    for (let index = 0; index < times; index++) trace.apply({ summary: of, spans, seq: index });
    return trace.isComplete;
  };

  test("when its root has ended and two looks bring no news", () => {
    const trace = new LiveTrace();
    expect(look(trace, summary(), [ended])).toBe(false);
    expect(look(trace, summary())).toBe(false);
    expect(look(trace, summary(), [chat])).toBe(false);
    expect(look(trace, summary(), [], 2)).toBe(true);
  });
  test("not while its root is open", () => {
    expect(look(new LiveTrace(), OPEN, [], 50)).toBe(false);
  });
  test("later when spans below the root are still open, which may be lost", () => {
    const lost = summary({ openSpans: 1 });
    expect(look(new LiveTrace(), lost, [], 9)).toBe(false);
    expect(look(new LiveTrace(), lost, [], 10)).toBe(true);
  });
});

test("a line tells an end that was made up from one that came", () => {
  expect(tell({ ...chat, provisional: true }, summary())).toContain("lost    coordinator: chat claude");
});
