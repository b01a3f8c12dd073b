// A span as the store keeps it: the whole OTLP span as JSON, and the columns that the store queries.
import { A2A, ERROR, GEN_AI, GENERAL, TROUPE } from "#shared/tracing/names.ts";
import { scalarOf, STATUS, type KeyValue } from "#shared/tracing/otlp.ts";

/** The resource and scope of spans. Stored once for all spans that share them. */
export interface Source {
  /** JSON of `{resource, schemaUrl?}`. */
  readonly resource: string;
  /** JSON of `{scope?, schemaUrl?}`. */
  readonly scope: string;
  /** `service.name` of the resource. */
  readonly agent: string;
  /** `service.instance.id` of the resource. */
  readonly instance: string;
}

export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  /** "" for none. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: number;
  /** Microseconds since the epoch. */
  readonly startUs: number;
  /** -1 while open. */
  readonly durationUs: number;
  readonly status: number;
  readonly message: string;
  readonly provisional: boolean;
  /** Whether the span ended because its isolate was lost. */
  readonly isInterrupted: boolean;
  /** `gen_ai.operation.name`, else `a2a.method.name`, else "". */
  readonly operation: string;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cost: number | null;
  /** `troupe.trace.kind`, "" for none. */
  readonly traceKind: string;
  /** Characters of `json`. */
  readonly bytes: number;
  /** The span as OTLP/JSON. */
  readonly json: string;
  /** Index into the batch's `sources`. */
  readonly source: number;
}

export interface SpanBatch {
  readonly sources: readonly Source[];
  readonly spans: readonly SpanRecord[];
}

/** A checked OTLP span: ids in lower case, times as digits, fields always in the same order. */
export interface CheckedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string | undefined;
  readonly parentSpanId?: string | undefined;
  readonly flags?: number | undefined;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  /** "0" while open. */
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributesCount?: number | undefined;
  readonly events?: readonly object[] | undefined;
  readonly droppedEventsCount?: number | undefined;
  readonly links?: readonly object[] | undefined;
  readonly droppedLinksCount?: number | undefined;
  readonly status?: { readonly message?: string | undefined; readonly code?: number | undefined } | undefined;
}

/** Limits of the columns, which serve overviews; the JSON has the full text. */
const MAX_NAME = 500;
const MAX_MESSAGE = 1000;

export function recordOf(span: CheckedSpan, source: number): SpanRecord {
  const { attributes } = span;
  const json = JSON.stringify(span);
  const startUs = toUs(span.startTimeUnixNano);
  const text = (key: string) => {
    const value = scalarOf(attributes, key);
    return typeof value === "string" ? value : "";
  };
  const amount = (key: string) => {
    const value = scalarOf(attributes, key);
    return typeof value === "number" && value >= 0 && value < Number.MAX_SAFE_INTEGER ? value : null;
  };
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentId: span.parentSpanId ?? "",
    name: span.name.slice(0, MAX_NAME),
    kind: span.kind,
    startUs,
    durationUs: span.endTimeUnixNano === "0" ? -1 : toUs(span.endTimeUnixNano) - startUs,
    status: span.status?.code ?? 0,
    message: span.status?.message?.slice(0, MAX_MESSAGE) ?? "",
    provisional: scalarOf(attributes, TROUPE.provisional) === true,
    isInterrupted: span.status?.code === STATUS.error && text(GENERAL.errorType) === ERROR.interrupted,
    operation: (text(GEN_AI.operation) || text(A2A.method)).slice(0, MAX_NAME),
    inputTokens: amount(GEN_AI.inputTokens),
    outputTokens: amount(GEN_AI.outputTokens),
    cost: amount(TROUPE.cost),
    traceKind: text(TROUPE.traceKind),
    bytes: json.length,
    json,
    source,
  };
}

/** Converts nanoseconds in digits to µs, exactly: a double has no room for nanoseconds. */
export function toUs(nano: string): number {
  return Number(nano.slice(0, -3));
}
