// The ids of a task's spans. They are made before the spans begin and kept in the task's row.
import * as z from "zod";
import { randomContext, type TraceContext } from "../../../tracing/trace-context.ts";

export const TaskTrace = z.object({
  traceId: z.string(),
  spanId: z.string(),
  /** The caller's span; null for a query that begins here. */
  parentSpanId: z.nullable(z.string()),
  turnSpanId: z.string(),
  /** The turn's earlier life, which was cut off or suspended. */
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

/** The ids of a new task, below `parent` if the caller has one. `chain`: the agents that the query came through. */
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

/** The ids of a task whose turn resumes: the turn gets another span, which links to the one before. */
export function nextTurnTrace(trace: TaskTrace): TaskTrace {
  return { ...trace, turnSpanId: randomContext().spanId, earlierTurnSpanId: trace.turnSpanId };
}

/** The source of a query that no agent asks. */
const CLIENT = "client";
