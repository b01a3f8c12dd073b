// A task as a Session knows it.
import type { TaskState } from "@a2a-js/sdk";
import * as z from "zod";
import type { TaskRef } from "../../../a2a/task-id.ts";
import type { Usage } from "../../../budget/usage.ts";
import type { TaskTrace } from "./task-trace.ts";
import type { Asker } from "../../caller.ts";

/** A life of a task's turn: another begins each time that the turn resumes. */
export const Life = z.object({
  /** From 1. */
  n: z.int(),
  /** Lives in a row that made no progress. */
  strikes: z.int(),
  /** Steps of the task when this life began. */
  steps: z.int(),
});
export type Life = Readonly<z.infer<typeof Life>>;

export const FIRST_LIFE: Life = { n: 1, strikes: 0, steps: 1 };

/** The result of a turn, as the Claude Agent SDK reports it (SDKResultMessage); part of the task's metadata. */
export const TaskResult = z.object({
  subtype: z.string(),
  num_turns: z.number(),
  /** US dollars of this agent's own model calls; left out where a price is not known. */
  total_cost_usd: z.optional(z.number()),
  permission_denials: z.array(
    z.object({ tool_name: z.string(), tool_use_id: z.string(), tool_input: z.record(z.string(), z.unknown()) }),
  ),
  /** The last message of the task is the answer, and clients see no task. */
  is_message: z.optional(z.literal(true)),
  /** Fits the agent's output schema. */
  structured_output: z.optional(z.unknown()),
});
export type TaskResult = Readonly<z.infer<typeof TaskResult>>;

export interface TaskRow extends TaskRef {
  readonly state: TaskState;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly traceId: string;
  /** The ids of its spans; null for a task of an older version. */
  readonly trace: TaskTrace | null;
  /** The message that opened it; null for a task of an older version. */
  readonly messageId: string | null;
  /** Null for a task of an older version, which no life can resume. */
  readonly asker: Asker | null;
  readonly life: Life;
  /** When the next approval expires, in milliseconds since the epoch; null while it waits for none. */
  readonly wakeAt: number | null;
  readonly answer: string | null;
  /** Why the task failed, for the person who asked. */
  readonly problem: string | null;
  /** Of this agent and all that it asked. */
  readonly usage: Usage | null;
  readonly result: TaskResult | null;
}

export type TaskEnd = Pick<TaskRow, "state" | "answer" | "problem" | "usage" | "result">;
