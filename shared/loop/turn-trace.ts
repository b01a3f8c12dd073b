// Where the spans of a turn go.
import type { TraceContext } from "../tracing/trace-context.ts";
import type { Tracer } from "../tracing/tracer.ts";

/** Where the spans of a turn go, and under which ones. */
export interface TurnTrace {
  readonly tracer: Tracer;
  /** The turn's own span. */
  readonly parent: TraceContext;
  /** The span of the message that the turn answers: what outlasts a turn that is suspended hangs below it. */
  readonly task: TraceContext;
  readonly agent: string;
  readonly contextId: string;
}
