// A tracer for the loop without the platform: keeps what spans were told.
import { SpanStatusCode, type Attributes, type Span } from "@opentelemetry/api";
import { SILENT, type SpanStart, type Tracer } from "../../shared/tracing/tracer.ts";

export interface Collected {
  readonly name: string;
  readonly spanId: string;
  readonly attributes: Attributes;
  readonly events: { readonly name: string; readonly attributes: unknown }[];
  failed: boolean;
  ended: boolean;
}

export class CollectingTracer implements Tracer {
  readonly spans: Collected[] = [];

  start(init: SpanStart): Span {
    const span = SILENT.start(init);
    const collected: Collected = {
      name: init.name,
      spanId: span.spanContext().spanId,
      attributes: { ...init.attributes },
      events: [],
      failed: false,
      ended: false,
    };
    this.spans.push(collected);
    span.setAttribute = (key, value) => {
      collected.attributes[key] = value;
      return span;
    };
    span.setAttributes = (attributes) => {
      Object.assign(collected.attributes, attributes);
      return span;
    };
    span.addEvent = (name, attributes) => {
      collected.events.push({ name, attributes });
      return span;
    };
    span.setStatus = ({ code }) => {
      collected.failed = code === SpanStatusCode.ERROR;
      return span;
    };
    span.end = () => void (collected.ended = true);
    return span;
  }

  content(make: () => string): string {
    return make();
  }
}
