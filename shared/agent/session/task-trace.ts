// The ids of a task's spans: given out before the spans begin and kept in the task's row.
import * as z from "zod";
import { randomContext, type TraceContext } from "../../tracing/trace-context.ts";

export const TaskTrace = z.object({
  traceId: z.string(),
  spanId: z.string(),
  /** The caller's span; null for a query that begins here. */
  parentSpanId: z.nullable(z.string()),
  turnSpanId: z.string(),
  /** Of the turn that was cut off, or suspended, before this one went on with it. */
  earlierTurnSpanId: z.optional(z.string()),
  /** A2A method that opened the task. */
  method: z.string(),
  messageId: z.string(),
  /** The agent that asks, or `client`. */
  source: z.string(),
  /** Whether a person asks: then this is the root of a query. */
  isQuery: z.boolean(),
  /** False where the job leaves no traces. */
  isRecorded: z.boolean(),
});

export type TaskTrace = z.infer<typeof TaskTrace>;

/** Gives out the ids of a task's spans, below `parent` if the caller has one. `chain`: the agents that the query came through. */
export function newTaskTrace(
  parent: TraceContext | undefined,
  chain: readonly string[],
  about: Pick<TaskTrace, "method" | "messageId" | "isRecorded">,
): TaskTrace {
  const { traceId, spanId } = randomContext(parent);
  const turnSpanId = randomContext().spanId;
  const ids = { traceId, spanId, parentSpanId: parent?.spanId ?? null, turnSpanId };
  return { ...ids, source: chain.at(-1) ?? CLIENT, isQuery: chain.length === 0, ...about };
}

/** The ids of a task whose turn is gone on with: under a span of its own, which knows the one before. */
export function nextTurnTrace(trace: TaskTrace): TaskTrace {
  return { ...trace, turnSpanId: randomContext().spanId, earlierTurnSpanId: trace.turnSpanId };
}

/** The source of what no agent asks. */
const CLIENT = "client";
