// Spans about an agent's life: registered, suspect, dead, removed. Each takes no time and is a trace of its own, unless
// it is part of a deployment. Later spans link to the registration's. Pure.
import { ERROR, GEN_AI, GENERAL, RESOURCE, SPAN, TROUPE } from "#shared/tracing/names.ts";
import { KIND, STATUS, toAttributes, unixNano, type ResourceSpans } from "#shared/tracing/otlp.ts";
import {
  formatTraceparent,
  parseTraceparent,
  randomContext,
  type TraceContext,
} from "#shared/tracing/trace-context.ts";

export interface LifecycleEvent {
  readonly event: "registered" | "suspect" | "dead" | "removed";
  readonly job: string;
  readonly agent: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Why the agent was lost. */
  readonly error?: string;
  /** The span that caused the event; both are of one trace. */
  readonly parent?: TraceContext | undefined;
  /** The span of the registration, as `traceparent`. */
  readonly registration?: string | undefined;
}

/** The event's span as OTLP, and its `context` as `traceparent`. */
export function lifecycleSpan(event: LifecycleEvent): { readonly spans: ResourceSpans; readonly context: string } {
  const { job, agent, at, error, parent } = event;
  const context = randomContext(parent);
  const link = parseTraceparent(event.registration);
  const span = {
    ...context,
    ...(parent ? { parentSpanId: parent.spanId } : {}),
    name: SPAN.lifecycle(event.event, agent),
    kind: KIND.internal,
    startTimeUnixNano: unixNano(at),
    endTimeUnixNano: unixNano(at),
    attributes: toAttributes({
      [TROUPE.traceKind]: parent ? undefined : "lifecycle",
      [TROUPE.lifecycle]: event.event,
      [TROUPE.job]: job,
      [GEN_AI.agentName]: agent,
      [GENERAL.errorType]: error === undefined ? undefined : ERROR.agentLost,
    }),
    ...(link ? { links: [link] } : {}),
    ...(error === undefined ? {} : { status: { code: STATUS.error, message: error } }),
  };
  const resource = toAttributes({ [RESOURCE.serviceName]: "troupe", [RESOURCE.serviceNamespace]: job });
  const spans = { resource: { attributes: resource }, scopeSpans: [{ scope: { name: "troupe" }, spans: [span] }] };
  return { spans, context: formatTraceparent(context) };
}
