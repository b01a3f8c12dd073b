// Follows a trace while it runs: drawn anew in a terminal, told span by span where the output goes elsewhere.
import { setTimeout as delay } from "node:timers/promises";

import { STATUS } from "#shared/tracing/otlp.ts";

import type { Io } from "../../terminal/io.ts";
import type { Screen } from "../../terminal/screen.ts";
import { oneLine } from "../../terminal/terminal-text.ts";
import { duration } from "../amounts.ts";
import { drawTrace } from "./draw.ts";
import { LiveTrace } from "../store/live-trace.ts";
import { endUs, type Span, type TraceSummary } from "../span.ts";
import type { TraceStore } from "../store/store.ts";

const POLL_MS = 250;
/** How long the spans of an answered query may be on their way. */
const ARRIVAL_MS = 5_000;

/** Shows the trace until it is complete, or the signal aborts: then its reason is thrown. `pollMs`: pause between two looks. */
export async function follow(
  store: TraceStore,
  traceId: string,
  io: Io,
  screen: () => Screen,
  pollMs = POLL_MS,
): Promise<LiveTrace> {
  const trace = new LiveTrace();
  const show = screen().isTerminal ? redrawer(store.job, io, screen) : teller(io);
  for (;;) {
    const news = trace.apply(await store.changes(traceId, trace.seq));
    show(trace, news);
    if (trace.isComplete) return trace;
    await delay(pollMs, undefined, { signal: io.signal });
  }
}

/** Waits until the trace is complete, but for five seconds at most. */
export async function untilComplete(
  store: TraceStore,
  traceId: string,
  signal: AbortSignal,
  pollMs = POLL_MS,
): Promise<LiveTrace> {
  const trace = new LiveTrace();
  const deadline = Date.now() + ARRIVAL_MS;
  for (;;) {
    trace.apply(await store.changes(traceId, trace.seq));
    if (trace.isComplete || Date.now() >= deadline) return trace;
    await delay(pollMs, undefined, { signal });
  }
}

type Show = (trace: LiveTrace, news: readonly Span[]) => void;

/** Draws over what it drew before. A tree that is higher than the screen is shown from its end while it runs. */
function redrawer(job: string, io: Io, screen: () => Screen): Show {
  let drawn = 0;
  return ({ summary, spans, isComplete }) => {
    if (summary === undefined) return;
    const size = screen();
    const lines = drawTrace({ job, summary, spans }, size, Date.now() * 1_000);
    const shown = isComplete ? lines : fitting(lines, size.rows - 1);
    io.write(`${drawn === 0 ? "" : `\x1b[${drawn}A`}\x1b[0J${shown.join("\n")}\n`);
    drawn = shown.length;
  };
}

/** The first lines, and as many of the last as there is room for. */
function fitting(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows || rows < 8) return lines.slice(0, Math.max(rows, 1));
  const head = lines.slice(0, 5);
  const tail = lines.slice(lines.length - (rows - head.length - 1));
  return [...head, `  … ${lines.length - head.length - tail.length} lines above …`, ...tail];
}

function teller(io: Io): Show {
  const told = new Set<string>();
  return ({ summary }, news) => {
    if (summary === undefined) return;
    for (const span of news.toSorted((a, b) => momentUs(a) - momentUs(b))) {
      const line = tell(span, summary);
      const key = `${span.spanId} ${span.durationUs === null}`;
      if (!told.has(key)) io.print(line);
      told.add(key);
    }
  };
}

/** Of what is told of it. */
function momentUs(span: Span): number {
  return endUs(span, span.startUs);
}

/** One line for a span's beginning, one for its end; moments count from the trace's beginning. */
export function tell(span: Span, { startUs }: Pick<TraceSummary, "startUs">): string {
  const { durationUs, status, agent, name, message, provisional } = span;
  const at = (us: number): string => `+${(us / 1_000_000).toFixed(3)} s`.padStart(11);
  const who = `${oneLine(agent)}: ${oneLine(name)}`;
  if (durationUs === null) return `${at(span.startUs - startUs)}  begins  ${who}`;
  const how = provisional ? "lost" : status === STATUS.error ? "failed" : "ends";
  const why = status === STATUS.error && message !== "" ? `: ${oneLine(message)}` : "";
  return `${at(span.startUs + durationUs - startUs)}  ${how.padEnd(6)}  ${who} after ${duration(durationUs)}${why}`;
}
