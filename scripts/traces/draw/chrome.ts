// A trace in the Trace Event Format of Perfetto and chrome://tracing: a process for the job, a thread for each agent.
// Slices of a thread must nest, so an agent whose spans overlap gets further threads.
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
import { RESOURCE } from "#shared/tracing/names.ts";
import { KIND, STATUS } from "#shared/tracing/otlp.ts";

import { assignLanes } from "./lanes.ts";
import { microseconds, plainAttributes, type ResourceSpans, type WholeSpan } from "../store/otlp-page.ts";

/** A span on a thread. */
export interface Slice {
  readonly spanId: string;
  readonly parentId: string;
  readonly agent: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly open: boolean;
  readonly span: WholeSpan;
}

const PROCESS = 1;

/** The document as plain data; `nowUs` is the end of open spans. */
export function chromeTrace(resourceSpans: readonly ResourceSpans[], job: string, nowUs: number) {
  const slices = slicesOf(resourceSpans, nowUs);
  const lanes = assignLanes(slices);
  const events: object[] = [{ ph: "M", name: "process_name", pid: PROCESS, tid: 0, args: { name: job } }];
  for (const [index, { name }] of lanes.entries()) {
    const thread = { ph: "M", pid: PROCESS, tid: index + 1 };
    events.push({ ...thread, name: "thread_name", args: { name } });
    events.push({ ...thread, name: "thread_sort_index", args: { sort_index: index } });
  }
  const threads = new Map(lanes.flatMap(({ slices: held }, index) => held.map(({ spanId }) => [spanId, index + 1])));
  const flows = flowsOf(slices);
  for (const slice of slices) {
    const at = { pid: PROCESS, tid: threads.get(slice.spanId) ?? 0 };
    events.push({ ph: "X", cat: "span", name: nameOf(slice), ...at, ...timesOf(slice), args: argsOf(slice) });
    // After the slice and at a moment within it: that binds the arrow to this slice, not to one around it.
    for (const { ph, id, ts } of flows.get(slice.spanId) ?? []) {
      events.push({ ph, cat: "a2a", name: "call", id, ts, ...at, ...(ph === "f" ? { bp: "e" } : {}) });
    }
  }
  return { traceEvents: events, displayTimeUnit: "ms", otherData: { traceId: slices[0]?.span.traceId ?? "", job } };
}

/** In the order of time; parents come before children that begin with them. */
function slicesOf(resourceSpans: readonly ResourceSpans[], nowUs: number): Slice[] {
  const slices = resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const agent = plainAttributes(resource?.attributes)[RESOURCE.serviceName];
    const name = typeof agent === "string" ? agent : "unknown";
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => sliceOf(span, name, nowUs)));
  });
  const depths = depthsOf(slices);
  const depth = ({ spanId }: Slice): number => depths.get(spanId) ?? 0;
  return slices.toSorted((a, b) => a.startUs - b.startUs || depth(a) - depth(b) || b.endUs - a.endUs);
}

function sliceOf(span: WholeSpan, agent: string, nowUs: number): Slice {
  const startUs = microseconds(span.startTimeUnixNano);
  const ended = microseconds(span.endTimeUnixNano);
  const endUs = Math.max(startUs, ended === 0 ? nowUs : ended);
  return { spanId: span.spanId, parentId: span.parentSpanId ?? "", agent, startUs, endUs, open: ended === 0, span };
}

/** Levels below the top; a circle of parents has none. */
function depthsOf(slices: readonly Slice[]): Map<string, number> {
  const parents = new Map(slices.map(({ spanId, parentId }) => [spanId, parentId]));
  const depths = new Map<string, number>();
  for (const { spanId } of slices) {
    const way: string[] = [];
    const seen = new Set<string>();
    let at = spanId;
    while (parents.has(at) && !depths.has(at) && !seen.has(at)) {
      seen.add(at);
      way.push(at);
      at = parents.get(at) ?? "";
    }
    let depth = depths.get(at) ?? -1;
    for (const id of way.toReversed()) depths.set(id, ++depth);
  }
  return depths;
}

interface FlowEnd {
  readonly ph: "s" | "f";
  readonly id: number;
  readonly ts: number;
}

/** Span id → the arrows that begin or end there. An arrow leads from a call to the called agent's span. */
function flowsOf(slices: readonly Slice[]): Map<string, FlowEnd[]> {
  const bySpan = new Map(slices.map((slice) => [slice.spanId, slice]));
  const flows = new Map<string, FlowEnd[]>();
  const add = ({ spanId }: Slice, end: FlowEnd): void => void flows.set(spanId, [...(flows.get(spanId) ?? []), end]);
  for (const [id, server] of slices.entries()) {
    const client = bySpan.get(server.parentId);
    if (server.span.kind !== KIND.server || client?.span.kind !== KIND.client) continue;
    // An arrow must lead forward in time from slice to slice, which different clocks may rule out.
    const ts = server.startUs >= client.startUs ? server.startUs : client.startUs + 1;
    if (ts >= server.endUs || client.startUs >= client.endUs) continue;
    add(client, { ph: "s", id, ts: client.startUs });
    add(server, { ph: "f", id, ts });
  }
  return flows;
}

function nameOf({ span }: Slice): string {
  return span.name ?? "";
}

function timesOf({ startUs, endUs }: Slice): { readonly ts: number; readonly dur: number } {
  return { ts: startUs, dur: endUs - startUs };
}

function argsOf({ span, open }: Slice): Record<string, unknown> {
  const { code, message } = span.status ?? {};
  return {
    ...plainAttributes(span.attributes),
    "span.id": span.spanId,
    ...(open ? { open: true } : {}),
    ...(code === STATUS.error ? { error: message ?? "" } : {}),
  };
}
