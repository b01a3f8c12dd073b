// The rows of spans. Synchronous: a method's writes commit together with the caller's.
import type { SpanRecord } from "../otlp/span-record.ts";
import type { Counted } from "./trace-change.ts";
import type { OpenQuery } from "../../rpc.ts";

const ADD = `INSERT INTO spans
  (seq, trace, source, span_id, parent_id, name, kind, start_us, duration_us, status, message, provisional, operation,
   input_tokens, output_tokens, cost, bytes, json)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export interface StoredSpan extends Counted {
  readonly seq: number;
  readonly traceId: string;
  readonly spanId: string;
  /** That began it. */
  readonly agent: string;
}

/** An open span and its source. */
export type OpenSpan = {
  json: string;
  start_us: number;
  /** When this instance of the agent last did something in this trace, in µs since the epoch. */
  heard_us: number;
  resource: string;
  scope: string;
};

type StoredRow = {
  seq: number;
  trace_id: string;
  span_id: string;
  duration_us: number;
  provisional: number;
  status: number;
  operation: string;
  input_tokens: number | null;
  output_tokens: number | null;
  cost: number | null;
  bytes: number;
  agent: string;
};

export class SpanRows {
  readonly #sql: SqlStorage;
  #seq: number | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The stored spans among `spans`. */
  find(spans: readonly { readonly traceId: string; readonly spanId: string }[]): StoredSpan[] {
    if (spans.length === 0) return [];
    const ids = JSON.stringify(spans.map(({ traceId, spanId }) => [traceId, spanId]));
    return this.#sql
      .exec<StoredRow>(
        `SELECT seq, trace_id, span_id, duration_us, provisional, status, operation, s.input_tokens, s.output_tokens, s.cost, s.bytes,
           sources.agent
         FROM json_each(?) AS wanted
         JOIN traces ON traces.trace_id = wanted.value ->> 0
         JOIN spans AS s ON s.trace = traces.number AND s.span_id = wanted.value ->> 1
         JOIN sources ON sources.number = s.source`,
        ids,
      )
      .toArray()
      .map((row) => ({
        seq: row.seq,
        traceId: row.trace_id,
        spanId: row.span_id,
        durationUs: row.duration_us,
        provisional: row.provisional === 1,
        status: row.status,
        operation: row.operation,
        inputTokens: row.input_tokens,
        outputTokens: row.output_tokens,
        cost: row.cost,
        bytes: row.bytes,
        agent: row.agent,
      }));
  }

  json(traceId: string, spanId: string): string {
    return this.#sql
      .exec<{ json: string }>(
        "SELECT json FROM spans JOIN traces ON traces.number = trace WHERE trace_id = ? AND span_id = ?",
        traceId,
        spanId,
      )
      .one().json;
  }

  parentOf(trace: number, spanId: string): string | undefined {
    const sql = "SELECT parent_id FROM spans WHERE trace = ? AND span_id = ?";
    return this.#sql.exec<{ parent_id: string }>(sql, trace, spanId).toArray()[0]?.parent_id;
  }

  /**
   * Removes the spans with these `seq`, in whose place others will be added. Not by INSERT OR REPLACE, which copies each
   * page before it changes it.
   */
  remove(seqs: readonly number[]): void {
    if (seqs.length === 0) return;
    // Before the last one is gone.
    this.#last();
    this.#sql.exec("DELETE FROM spans WHERE seq IN (SELECT value FROM json_each(?))", JSON.stringify(seqs));
  }

  /** Writes a span whose id is not stored. Returns its `seq`. */
  add(trace: number, source: number, span: SpanRecord): number {
    this.#seq = this.#last() + 1;
    this.#sql.exec(
      ADD,
      this.#seq,
      trace,
      source,
      span.spanId,
      span.parentId,
      span.name,
      span.kind,
      span.startUs,
      span.durationUs,
      span.status,
      span.message,
      span.provisional ? 1 : 0,
      span.operation,
      span.inputTokens,
      span.outputTokens,
      span.cost,
      span.bytes,
      span.json,
    );
    return this.#seq;
  }

  /** The highest `seq` that was given. */
  #last(): number {
    return (this.#seq ??= this.#sql.exec<{ seq: number | null }>("SELECT max(seq) AS seq FROM spans").one().seq ?? 0);
  }

  open(trace: number, { agent, keepInstance, untilUs }: OpenQuery, limit: number): OpenSpan[] {
    return this.#sql
      .exec<OpenSpan>(
        `WITH theirs AS (
           SELECT s.seq, s.start_us, s.duration_us, instance, resource, scope
           FROM spans AS s CROSS JOIN sources ON sources.number = s.source
           WHERE s.trace = ?1 AND sources.agent = ?2 AND instance IS NOT ?3
         ), heard AS (
           SELECT instance, max(start_us + max(duration_us, 0)) AS heard_us FROM theirs GROUP BY instance
         )
         SELECT json, theirs.start_us, heard_us, resource, scope
         FROM theirs JOIN heard USING (instance) JOIN spans USING (seq)
         WHERE theirs.duration_us < 0 AND (?4 IS NULL OR theirs.start_us <= ?4) LIMIT ?5`,
        trace,
        agent,
        keepInstance ?? null,
        untilUs ?? null,
        limit,
      )
      .toArray();
  }
}
