// What the trace store of the control plane answers with, and the spans that its columns stand for.
import * as z from "zod";

import { STATUS } from "#shared/tracing/otlp.ts";

export const TraceSummary = z.object({
  traceId: z.string(),
  /** query, deploy, lifecycle or other. */
  kind: z.string(),
  /** Name and agent of the root; empty until it has come. */
  name: z.string(),
  agent: z.string(),
  agents: z.array(z.string()),
  startTime: z.string(),
  startUs: z.number(),
  /** Null while it is open. */
  durationMs: z.nullable(z.number()),
  status: z.enum(["ok", "error", "open"]),
  spans: z.number(),
  openSpans: z.number(),
  errors: z.number(),
  modelCalls: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  /** Null when the price of no model call is known. */
  costUsd: z.nullable(z.number()),
  /** What was asked. */
  text: z.string(),
  bytes: z.number(),
});
export type TraceSummary = Readonly<z.infer<typeof TraceSummary>>;

export const TraceList = z.object({ traces: z.array(TraceSummary), next: z.nullable(z.string()) });

const Numbers = z.array(z.number());
const Amounts = z.array(z.nullable(z.number()));

/** Parallel arrays, a place for each span; `name`, `agent`, `message` and `operation` are indexes into `strings`. */
export const SpanColumns = z.object({
  seq: Numbers,
  spanId: z.array(z.string()),
  parentId: z.array(z.string()),
  name: Numbers,
  agent: Numbers,
  kind: Numbers,
  startUs: Numbers,
  durationUs: Numbers,
  status: Numbers,
  message: Numbers,
  provisional: Numbers,
  operation: Numbers,
  inputTokens: Amounts,
  outputTokens: Amounts,
  costUsd: Amounts,
  strings: z.array(z.string()),
});
export type SpanColumns = z.infer<typeof SpanColumns>;

export const TracePage = z.object({ trace: TraceSummary, columns: SpanColumns, next: z.nullable(z.number()) });

/** One span as the command line works with it. */
export interface Span {
  /** The store's number of its last change. */
  readonly seq: number;
  readonly spanId: string;
  /** Empty when it has none. */
  readonly parentId: string;
  readonly name: string;
  readonly agent: string;
  /** As in OTLP, see KIND. */
  readonly kind: number;
  readonly startUs: number;
  /** Null while it is open. */
  readonly durationUs: number | null;
  /** As in OTLP, see STATUS. */
  readonly status: number;
  readonly message: string;
  /** Its end was made up for an agent that is gone. */
  readonly provisional: boolean;
  readonly operation: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
}

/** The spans of the columns, in their order. */
export function spansOf(columns: SpanColumns): Span[] {
  const { strings } = columns;
  const text = (indexes: readonly number[], row: number): string => strings[indexes[row] ?? 0] ?? "";
  const number = (numbers: readonly (number | null)[], row: number): number => numbers[row] ?? 0;
  return columns.spanId.map((spanId, row) => {
    const durationUs = number(columns.durationUs, row);
    return {
      seq: number(columns.seq, row),
      spanId,
      parentId: columns.parentId[row] ?? "",
      name: text(columns.name, row),
      agent: text(columns.agent, row),
      kind: number(columns.kind, row),
      startUs: number(columns.startUs, row),
      durationUs: durationUs < 0 ? null : durationUs,
      status: number(columns.status, row),
      message: text(columns.message, row),
      provisional: number(columns.provisional, row) === 1,
      operation: text(columns.operation, row),
      inputTokens: number(columns.inputTokens, row),
      outputTokens: number(columns.outputTokens, row),
      costUsd: columns.costUsd[row] ?? null,
    };
  });
}

/** When it ended, in microseconds; `nowUs` while it is open, never before its beginning. */
export function endUs({ startUs, durationUs }: Span, nowUs: number): number {
  return durationUs === null ? Math.max(startUs, nowUs) : startUs + durationUs;
}

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];

/** OTLP's span kind in a word. */
export function kindName(kind: number): string {
  return KINDS[kind] ?? String(kind);
}

/** OTLP's status code in a word. */
export function statusName(code: number | undefined): "unset" | "ok" | "error" {
  if (code === STATUS.error) return "error";
  return code === STATUS.ok ? "ok" : "unset";
}
