// The tracing that instrumented code uses: starts spans under an explicit parent (implicit context gets lost in
// generators, alarms and objects), and filters content. recorder.ts records.
import {
  type SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Link,
  type Span,
} from "@opentelemetry/api";
import { GENERAL } from "./names.ts";
import { randomContext, type TraceContext } from "./trace-context.ts";

export { SpanKind, type Span } from "@opentelemetry/api";

/** Characters of a failure's message. */
const MAX_MESSAGE = 1_000;
const MAX_ID = 300;

export interface SpanStart {
  readonly name: string;
  /** INTERNAL when left out. */
  readonly kind?: SpanKind;
  /** A new trace begins when left out. */
  readonly parent?: TraceContext | undefined;
  readonly attributes: Attributes;
  /** The span's own ids, where they were chosen before; the trace id is the parent's. */
  readonly own?: TraceContext;
  /** Milliseconds since the epoch; now when left out. */
  readonly startTime?: number;
  readonly links?: Link[];
}

export interface Tracer {
  start(span: SpanStart): Span;
  /**
   * The text as the job allows it to be recorded: redacted, cut, or undefined. Calls `make` only when the text is
   * wanted.
   */
  content(make: () => string | undefined): string | undefined;
}

/** Records nothing, but passes trace ids on. */
export const SILENT: Tracer = {
  start: ({ own, parent }) => trace.wrapSpanContext({ ...(own ?? randomContext(parent)), traceFlags: TraceFlags.NONE }),
  content: () => undefined,
};

/** A foreign id, cut to the length of an attribute. */
export function shortId(id: string): string {
  return id.length > MAX_ID ? `${id.slice(0, MAX_ID).toWellFormed()}…` : id;
}

export function contextOf(span: Span): TraceContext {
  const { traceId, spanId } = span.spanContext();
  return { traceId, spanId };
}

/**
 * Marks the span as failed; does not end it. `type` is one of ERROR in names.ts, an error code, or an error class. The
 * message may quote a model or a tool, so it is content; where content is not recorded, the type stands alone.
 */
export function fail(tracer: Tracer, span: Span, type: string, message: string): Span {
  const recorded = tracer.content(() => message) ?? type;
  const cut = `${recorded.slice(0, MAX_MESSAGE).toWellFormed()} [cut: ${recorded.length - MAX_MESSAGE} characters left out]`;
  const said = recorded.length > MAX_MESSAGE ? cut : recorded;
  return span.setAttribute(GENERAL.errorType, type).setStatus({ code: SpanStatusCode.ERROR, message: said });
}

/** The values without those that are undefined or null. */
export function defined(values: Readonly<Record<string, Attributes[string] | null>>): Attributes {
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined && value !== null) attributes[key] = value;
  }
  return attributes;
}
