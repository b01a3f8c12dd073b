// The recording tracer: spans of otel-cf-workers, reported at their start and at their end. Does not use that library's
// provider, processor and handlers, which lose spans of parallel calls, alarms and streams (docs/decisions/0004).
import { SpanImpl } from "@microlabs/otel-cf-workers";
import {
  SpanStatusCode,
  TraceFlags,
  type AttributeValue,
  type Exception,
  type SpanContext,
  type TimeInput,
} from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { contentFilter } from "./content.ts";
import { GENERAL } from "./names.ts";
import { randomContext } from "./trace-context.ts";
import { defined, type SpanStart, type Tracer } from "./tracer.ts";

const SCOPE = { name: "troupe" };

export interface RecorderParts {
  readonly resource: Resource;
  readonly content: ReturnType<typeof contentFilter>;
  /** Called when a span starts, and when it ends. */
  readonly onChange: (span: RecordedSpan) => void;
}

export class Recorder implements Tracer {
  readonly #parts: RecorderParts;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  start({ name, kind, parent, attributes, own, startTime, links }: SpanStart): RecordedSpan {
    const { resource, content, onChange } = this.#parts;
    const span = new RecordedSpan(content, {
      name,
      resource,
      attributes,
      onEnd: () => onChange(span),
      spanContext: { ...(own ?? randomContext(parent)), traceFlags: TraceFlags.SAMPLED },
      ...(kind === undefined ? {} : { spanKind: kind }),
      ...(parent === undefined
        ? {}
        : { parentSpanId: parent.spanId, parentSpanContext: { ...parent, traceFlags: TraceFlags.SAMPLED } }),
      ...(startTime === undefined ? {} : { startTime }),
      ...(links === undefined ? {} : { links }),
    });
    onChange(span);
    return span;
  }

  content(make: () => string | undefined): string | undefined {
    return this.#parts.content(make);
  }
}

/** A span that never ends before its start, whatever the clock does. */
export class RecordedSpan extends SpanImpl {
  override instrumentationScope = SCOPE;
  /** The base class sets it to undefined, which the exporters' types do not allow. */
  declare readonly parentSpanContext?: SpanContext;

  readonly #content: RecorderParts["content"];

  constructor(content: RecorderParts["content"], init: ConstructorParameters<typeof SpanImpl>[0]) {
    super(init);
    this.#content = content;
  }

  /** Writes NaN and infinity as text: JSON has no such number, and the whole span would be lost. */
  override setAttribute(key: string, value?: AttributeValue): this {
    const writable = typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
    return super.setAttribute(key, writable);
  }

  override end(time?: TimeInput): void {
    const [seconds, nanoseconds] = this.startTime;
    super.end(time ?? Math.max(Date.now(), seconds * 1000 + nanoseconds / 1e6));
  }

  override recordException(exception: Exception, time?: TimeInput): void {
    const thrown = typeof exception === "string" ? { message: exception } : exception;
    const { name = "Error", message = "", stack } = thrown;
    const said = this.#content(() => message);
    // A stack repeats the message.
    const where = stack === undefined ? undefined : this.#content(() => stack);
    const what = { "exception.type": name, "exception.message": said, "exception.stacktrace": where };
    this.addEvent("exception", defined(what), time);
    if (this.status.code !== SpanStatusCode.ERROR) this.setAttribute(GENERAL.errorType, name);
  }
}
