// The rows of traces: one summary each, updated with every batch. Synchronous: a method's writes commit together with
// the caller's.
import * as z from "zod";
import { TROUPE } from "#shared/tracing/names.ts";
import type { Root, TraceChange } from "./trace-change.ts";
import { TRACE_KINDS } from "#shared/control-plane/traces.ts";

const MAX_TEXT = 200;
/** Characters of each text that a search covers. */
const MAX_SEARCHED = 4000;
const MAX_SEARCHED_ERRORS = 2000;

/** More agents than any job has. */
const MAX_AGENTS = 200;

/** A trace before a batch. */
export type TraceState = {
  number: number;
  trace_id: string;
  start_us: number;
  root_span: string;
  root_rank: number;
  root_start_us: number;
  root_duration_us: number;
  agents: string;
};

type RootRow = { name: string; duration_us: number; status: number; agent: string; json: string };

const Agents = z.array(z.string());
const Texts = z.object({
  attributes: z.array(z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional() }) })),
});

export class TraceRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(traceIds: Iterable<string>): TraceState[] {
    return this.#sql
      .exec<TraceState>(
        `SELECT number, trace_id, start_us, root_span, root_rank, root_start_us, root_duration_us, agents
         FROM json_each(?) JOIN traces ON trace_id = value`,
        JSON.stringify([...traceIds]),
      )
      .toArray();
  }

  add(traceId: string, startUs: number, now: number): TraceState {
    return this.#sql
      .exec<TraceState>(
        `INSERT INTO traces (trace_id, created_at, changed_at, start_us) VALUES (?1, ?2, ?2, ?3)
         RETURNING number, trace_id, start_us, root_span, root_rank, root_start_us, root_duration_us, agents`,
        traceId,
        now,
        startUs,
      )
      .one();
  }

  /** Copies the root span's data to the trace. Returns the root's duration in µs, -1 while open. */
  setRoot(trace: number, root: Root): number {
    const row = this.#sql
      .exec<RootRow>(
        `SELECT name, duration_us, status, agent, json FROM spans JOIN sources ON sources.number = source
         WHERE trace = ? AND span_id = ?`,
        trace,
        root.spanId,
      )
      .one();
    const { attributes } = Texts.parse(JSON.parse(row.json));
    const text = (key: string) => attributes.find((attribute) => attribute.key === key)?.value.stringValue ?? "";
    const [kind, question, answer] = [text(TROUPE.traceKind), text(TROUPE.question), text(TROUPE.answer)];
    this.#sql.exec(
      `UPDATE traces SET root_span = ?2, root_rank = ?3, root_start_us = ?4, root_duration_us = ?5, root_status = ?6,
         kind = ?7, name = ?8, agent = ?9, text = ?10 WHERE number = ?1`,
      trace,
      root.spanId,
      root.rank,
      root.startUs,
      row.duration_us,
      row.status,
      TRACE_KINDS.find((known) => known === kind) ?? "other",
      row.name,
      row.agent,
      question.slice(0, MAX_TEXT).toWellFormed(),
    );
    const searched = [row.name, question, answer].map((value) => value.slice(0, MAX_SEARCHED).toLowerCase());
    this.#sql.exec(
      "INSERT INTO trace_texts (trace, root) VALUES (?1, ?2) ON CONFLICT (trace) DO UPDATE SET root = ?2",
      trace,
      searched.join("\n"),
    );
    return row.duration_us;
  }

  /** Adds the changes of a batch. `dueAt` is when the trace may be forwarded, null for never. */
  apply(trace: TraceState, change: TraceChange, { now, endedSeq, dueAt }: Applied): void {
    const { counts } = change;
    const agents = new Set([...Agents.parse(JSON.parse(trace.agents)), ...change.agents]);
    this.#sql.exec(
      `UPDATE traces SET changed_at = ?2, start_us = min(start_us, ?3), end_us = max(end_us, ?4), agents = ?5,
         spans = spans + ?6, open_spans = open_spans + ?7, errors = errors + ?8, model_calls = model_calls + ?9,
         input_tokens = input_tokens + ?10, output_tokens = output_tokens + ?11, cost = cost + ?12, priced = priced + ?13,
         bytes = bytes + ?14, ended_seq = max(ended_seq, ?15), due_at = ?16
       WHERE number = ?1`,
      trace.number,
      now,
      change.earliest.startUs,
      change.endUs,
      JSON.stringify([...agents].slice(0, MAX_AGENTS)),
      counts.spans,
      counts.openSpans,
      counts.errors,
      counts.modelCalls,
      counts.inputTokens,
      counts.outputTokens,
      counts.cost,
      counts.priced,
      counts.bytes,
      endedSeq,
      dueAt,
    );
    for (const message of change.messages) this.#addMessage(trace.number, message.toLowerCase());
  }

  /** Numbers of the traces with open spans: all of them, or the named one. */
  withOpenSpans(traceId: string | undefined): number[] {
    const rows =
      traceId === undefined
        ? this.#sql.exec<{ number: number }>("SELECT number FROM traces WHERE open_spans > 0")
        : this.#sql.exec<{ number: number }>(
            "SELECT number FROM traces WHERE trace_id = ? AND open_spans > 0",
            traceId,
          );
    return rows.toArray().map(({ number }) => number);
  }

  /** Numbers of the traces that began before `us`, in µs since the epoch. */
  before(us: number): number[] {
    const rows = this.#sql.exec<{ number: number }>("SELECT number FROM traces WHERE start_us < ?", us).toArray();
    return rows.map(({ number }) => number);
  }

  /** Deletes the trace and its spans and texts. */
  remove(trace: number): void {
    this.#sql.exec("DELETE FROM spans WHERE trace = ?", trace);
    this.#sql.exec("DELETE FROM trace_texts WHERE trace = ?", trace);
    this.#sql.exec("DELETE FROM traces WHERE number = ?", trace);
  }

  #addMessage(trace: number, message: string): void {
    this.#sql.exec(
      `INSERT INTO trace_texts (trace, errors) VALUES (?1, ?2)
       ON CONFLICT (trace) DO UPDATE SET errors = errors || char(10) || ?2
       WHERE length(errors) < ?3 AND instr(errors, ?2) = 0`,
      trace,
      message,
      MAX_SEARCHED_ERRORS,
    );
  }
}

interface Applied {
  readonly now: number;
  /** The highest `seq` of an ended span in the batch, 0 for none. */
  readonly endedSeq: number;
  readonly dueAt: number | null;
}
