// Merges batches of spans into the tables of a Traces object, within the caller's transaction. A repeated batch changes
// nothing, and the order of arrival does not change the result.
import { mergeDecision, stateOf } from "./merge.ts";
import { Rejections } from "../otlp/rejections.ts";
import { SourceRows } from "./source-rows.ts";
import type { Source, SpanBatch, SpanRecord } from "../otlp/span-record.ts";
import { SpanRows, type StoredSpan } from "./span-rows.ts";
import { rootAfter, TraceChange } from "./trace-change.ts";
import { TraceRows, type TraceState } from "./trace-rows.ts";

export class Rows {
  readonly sources: SourceRows;
  readonly spans: SpanRows;
  readonly traces: TraceRows;

  constructor(sql: SqlStorage) {
    this.sources = new SourceRows(sql);
    this.spans = new SpanRows(sql);
    this.traces = new TraceRows(sql);
  }
}

/** Returns when a trace may be forwarded, in ms since the epoch; null for never. */
export type Due = (root: { readonly rank: number; readonly open: boolean }, now: number) => number | null;

interface Changed {
  readonly span: SpanRecord;
  readonly source: Source;
  /** The stored span that this one replaces. */
  readonly stored: StoredSpan | undefined;
}

/** Stores the batches in their order. Returns what each of them was refused. */
export function storeBatches(rows: Rows, batches: readonly SpanBatch[], due: Due, now: number): Rejections[] {
  const all = batches.flatMap(({ spans }) => spans);
  const traces = new Map(
    rows.traces.find(new Set(all.map(({ traceId }) => traceId))).map((row) => [row.trace_id, row]),
  );
  const known = new Map(
    rows.spans.find(all.filter(({ traceId }) => traces.has(traceId))).map((row) => [row.traceId + row.spanId, row]),
  );
  const changes = new Map<string, TraceChange>();
  const changed = new Map<string, Changed>();
  const rejections = batches.map(({ sources, spans }) => {
    const rejected = new Rejections();
    for (const span of spans) {
      const key = span.traceId + span.spanId;
      const stored = known.get(key);
      const source = sources[span.source];
      if (!source) throw new RangeError(`A batch has no source ${span.source}.`);
      const { span: last, source: lastSource } = changed.get(key) ?? {};
      const before = last ?? stored;
      const owner = lastSource?.agent ?? stored?.agent ?? source.agent;
      if (owner !== source.agent) {
        rejected.add(span.spanId, OTHERS);
        continue;
      }
      const same = () => (last?.json ?? rows.spans.json(span.traceId, span.spanId)) === span.json;
      const decision = before ? mergeDecision(stateOf(before), stateOf(span), same) : "store";
      if (decision === "conflict") rejected.add(span.spanId, SECOND_END);
      if (decision !== "store") continue;
      let change = changes.get(span.traceId);
      if (!change) changes.set(span.traceId, (change = new TraceChange()));
      change.add(span, source.agent, before);
      changed.set(key, { span, source, stored });
    }
    return rejected;
  });
  rows.spans.remove([...changed.values()].flatMap(({ stored }) => stored?.seq ?? []));
  const endedSeqs = new Map<string, number>();
  for (const { span, source } of changed.values()) {
    const { traceId } = span;
    let trace = traces.get(traceId);
    if (!trace) traces.set(traceId, (trace = rows.traces.add(traceId, span.startUs, now)));
    const seq = rows.spans.add(trace.number, rows.sources.number(source, now), span);
    if (span.durationUs >= 0) endedSeqs.set(traceId, seq);
  }
  for (const [traceId, change] of changes) {
    const trace = traces.get(traceId);
    if (trace) summarize(rows, trace, change, endedSeqs.get(traceId) ?? 0, due, now);
  }
  return rejections;
}

const OTHERS = "another agent has begun a span of this id, and only that one changes or ends it";

const SECOND_END =
  "it has ended already, and differently; the first end stays. Send a span's end once, or again as it was";

function summarize(rows: Rows, trace: TraceState, change: TraceChange, endedSeq: number, due: Due, now: number): void {
  const before = {
    spanId: trace.root_span,
    rank: trace.root_rank,
    startUs: trace.root_start_us,
    traceStartUs: trace.start_us,
  };
  const root = rootAfter(before, change, (spanId) => rows.spans.parentOf(trace.number, spanId));
  const isNew = root.spanId !== before.spanId || root.rank !== before.rank || change.spanIds.has(root.spanId);
  const durationUs = isNew ? rows.traces.setRoot(trace.number, root) : trace.root_duration_us;
  const dueAt = due({ rank: root.rank, open: durationUs < 0 }, now);
  rows.traces.apply(trace, change, { now, endedSeq, dueAt });
}
