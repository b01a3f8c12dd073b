// Answers of the control plane's trace store as the command line reads them, and the spans that their columns stand
// for.
import * as z from "zod";

import * as wire from "#shared/control-plane/traces.ts";
import { STATUS } from "#shared/tracing/otlp.ts";

/** A control plane of another version may send a kind that is not known here, or leave out what only decorates a trace. */
export const TraceSummary = wire.TraceSummary.extend({
  kind: wire.TraceSummary.shape.kind.catch("other"),
  agents: wire.TraceSummary.shape.agents.default([]),
  openSpans: wire.TraceSummary.shape.openSpans.default(0),
  modelCalls: wire.TraceSummary.shape.modelCalls.default(0),
  inputTokens: wire.TraceSummary.shape.inputTokens.default(0),
  outputTokens: wire.TraceSummary.shape.outputTokens.default(0),
  costUsd: wire.TraceSummary.shape.costUsd.default(null),
  text: wire.TraceSummary.shape.text.default(""),
  bytes: wire.TraceSummary.shape.bytes.default(0),
});
export type TraceSummary = Readonly<wire.TraceSummary>;

export const TraceList = wire.TraceList.extend({ traces: z.array(TraceSummary) });

/** Without the required columns no tree can be drawn. */
const SpanColumns = wire.SpanColumns.partial().required({
  strings: true,
  seq: true,
  spanId: true,
  parentId: true,
  name: true,
  agent: true,
  startUs: true,
  durationUs: true,
  status: true,
});
type SpanColumns = z.infer<typeof SpanColumns>;

export const TracePage = wire.TracePage.extend({ trace: TraceSummary, columns: SpanColumns });

export interface Span {
  /** Number of the span's last change in the store. */
  readonly seq: number;
  readonly spanId: string;
  /** Empty for a span without a parent. */
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
  /** The store closed it for an agent that is gone. */
  readonly provisional: boolean;
  readonly operation: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number | null;
}

/** The spans of the columns, in their order. */
export function spansOf(columns: SpanColumns): Span[] {
  const { strings } = columns;
  const text = (indexes: readonly number[] | undefined, row: number): string => strings[indexes?.[row] ?? 0] ?? "";
  const number = (numbers: readonly (number | null)[] | undefined, row: number): number => numbers?.[row] ?? 0;
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
      costUsd: columns.costUsd?.[row] ?? null,
    };
  });
}

/** The end in microseconds since the epoch; of an open span `nowUs`, but never before its start. */
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
