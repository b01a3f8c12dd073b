// The trace that a turn's spans belong to.
import type { TraceContext } from "../../tracing/trace-context.ts";
import type { Tracer } from "../../tracing/tracer.ts";

export interface TurnTrace {
  readonly tracer: Tracer;
  /** The turn's own span. */
  readonly parent: TraceContext;
  /** The span of the message that the turn answers: the parent of spans that outlast a suspended turn. */
  readonly task: TraceContext;
  readonly agent: string;
  readonly contextId: string;
}
