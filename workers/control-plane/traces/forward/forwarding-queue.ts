// The queue to the collector: the ended spans of each due trace whose `seq` is above the last forwarded one. The queue
// is the span table itself, so nothing is lost while the collector is away.
import type { StoredJson } from "../rows/pages.ts";
import { isForwarded } from "./sampling.ts";
import type { Settings } from "./settings.ts";

/** Characters of one request, resources and scopes included. */
const MAX_CHARACTERS = 1_000_000;
const MAX_SPANS = 2000;
/** Traces that are checked to find a few samples. */
const MAX_LOOKED_AT = 500;

export type QueuedSpan = StoredJson & { readonly trace: number; readonly traceId: string };

type DueTrace = {
  number: number;
  trace_id: string;
  forwarded_seq: number;
  errors: number;
  duration_us: number;
  cost: number;
};
const DUE_TRACE = "number, trace_id, forwarded_seq, errors, root_duration_us AS duration_us, cost";

type Source = { resource: string; scope: string };
type EndedSpan = { seq: number; source: number; json: string };

export class ForwardingQueue {
  readonly #sql: SqlStorage;
  readonly #settings: Settings;

  constructor(sql: SqlStorage, settings: Settings) {
    this.#sql = sql;
    this.#settings = settings;
  }

  /** When the first trace is due, in ms since the epoch; null when nothing waits. */
  dueAt(): number | null {
    const sql = "SELECT min(due_at) AS due_at FROM traces WHERE due_at IS NOT NULL";
    return this.#sql.exec<{ due_at: number | null }>(sql).one().due_at;
  }

  /**
   * The spans of the next request, of one or more traces; those of one trace in order of `seq`. Marks traces without
   * spans to send as not due. May return no spans although more traces are due, when many have nothing to send.
   */
  next(now: number): QueuedSpan[] {
    const traces = this.#sql
      .exec<DueTrace>(`SELECT ${DUE_TRACE} FROM traces WHERE due_at <= ? ORDER BY due_at LIMIT ?`, now, MAX_SPANS)
      .toArray();
    const sources = new Map<number, Source>();
    const spans: QueuedSpan[] = [];
    const idle: number[] = [];
    let characters = 0;
    let isFull = false;
    for (const trace of traces) {
      const before = spans.length;
      for (const ended of this.#isForwarded(trace) ? this.#ended(trace) : []) {
        const isNew = !sources.has(ended.source);
        const span = this.#queued(trace, ended, sources);
        characters += span.json.length + (isNew ? span.resource.length + span.scope.length : 0);
        isFull = spans.length === MAX_SPANS || (spans.length > 0 && characters > MAX_CHARACTERS);
        if (isFull) break;
        spans.push(span);
      }
      if (isFull) break;
      if (spans.length === before) idle.push(trace.number);
    }
    const sql = "UPDATE traces SET due_at = NULL WHERE number IN (SELECT value FROM json_each(?))";
    if (idle.length > 0) this.#sql.exec(sql, JSON.stringify(idle));
    return spans;
  }

  /**
   * The first spans of up to `limit` due traces, newest first, without the traces of `spans`. Each `round` gives other
   * traces.
   */
  samples(spans: readonly QueuedSpan[], limit: number, round: number, now: number): QueuedSpan[] {
    const others = "FROM traces WHERE due_at <= ?1 AND number NOT IN (SELECT value FROM json_each(?2))";
    const numbers = JSON.stringify([...new Set(spans.map(({ trace }) => trace))]);
    const { count } = this.#sql.exec<{ count: number }>(`SELECT count(*) AS count ${others}`, now, numbers).one();
    const traces = this.#sql
      .exec<DueTrace>(
        `SELECT ${DUE_TRACE} ${others} ORDER BY due_at DESC LIMIT ?3 OFFSET ?4`,
        now,
        numbers,
        MAX_LOOKED_AT,
        (round * limit) % Math.max(count, 1),
      )
      .toArray();
    const samples: QueuedSpan[] = [];
    for (const trace of traces) {
      if (!this.#isForwarded(trace)) continue;
      const [first] = this.#ended(trace);
      if (first) samples.push(this.#queued(trace, first, new Map()));
      if (samples.length === limit) break;
    }
    return samples;
  }

  /** Removes the spans, and all earlier spans of their traces. */
  remove(spans: readonly QueuedSpan[]): void {
    const last = new Map(spans.map(({ trace, seq }) => [trace, seq]));
    for (const [trace, seq] of last) {
      this.#sql.exec(
        `UPDATE traces SET forwarded_seq = max(forwarded_seq, ?2), due_at = CASE WHEN ended_seq > ?2 THEN due_at END
         WHERE number = ?1`,
        trace,
        seq,
      );
    }
  }

  #isForwarded(trace: DueTrace): boolean {
    const { trace_id: traceId, errors, duration_us: durationUs, cost: costUsd } = trace;
    return isForwarded({ traceId, errors, durationUs, costUsd }, this.#settings);
  }

  /** In order of `seq`: SQLite keeps the order of a subquery only if the subquery has a LIMIT. */
  #ended({ number, forwarded_seq }: DueTrace): SqlStorageCursor<EndedSpan> {
    return this.#sql.exec<EndedSpan>(
      `SELECT seq, source, json
       FROM (SELECT seq FROM spans WHERE trace = ?1 AND seq > ?2 ORDER BY seq LIMIT -1) CROSS JOIN spans USING (seq)
       WHERE duration_us >= 0`,
      number,
      forwarded_seq,
    );
  }

  /** `sources` caches the sources read so far: thousands of spans share one. */
  #queued(trace: DueTrace, { seq, source, json }: EndedSpan, sources: Map<number, Source>): QueuedSpan {
    let found = sources.get(source);
    if (!found) {
      found = this.#sql.exec<Source>("SELECT resource, scope FROM sources WHERE number = ?", source).one();
      sources.set(source, found);
    }
    return { seq, trace: trace.number, traceId: trace.trace_id, ...found, json };
  }
}
