// What becomes of a question to another agent.
import { TaskState, taskStateToJSON, type StreamResponse, type TaskStatus } from "@a2a-js/sdk";
import * as z from "zod";
import { Usage } from "../budget/usage.ts";
import type { ArtifactTexts } from "./artifact-texts.ts";
import { isTerminal, textOfParts } from "./message.ts";

export type PeerOutcome =
  | {
      readonly is: "answer";
      readonly text: string;
      /** What the peer and the agents that it asked have used; undefined when the peer does not say. */
      readonly usage: Usage | undefined;
    }
  /** The peer waits for input. `data` holds the data parts of its question. */
  | {
      readonly is: "input_required";
      readonly taskId: string;
      readonly text: string;
      readonly data: readonly unknown[];
    };

/** The peer's task ended without an answer; the message says how. */
export class PeerTaskError extends Error {
  override readonly name = "PeerTaskError";
  readonly usage: Usage | undefined;

  constructor(message: string, usage: Usage | undefined) {
    super(message);
    this.usage = usage;
  }
}

/** The peer could not be reached, or each connection broke; the message is the last connection's error. */
export class PeerUnreachable extends Error {}

/** Characters of an answer. No more than a part of it would reach the model. */
export const MAX_ANSWER = 1_000_000;

/**
 * The outcome that an event reports; undefined while the task works. Throws PeerTaskError for an end without an answer.
 */
export function outcomeOf(
  payload: StreamResponse["payload"],
  taskId: string,
  artifacts: ArtifactTexts,
): PeerOutcome | undefined {
  if (payload?.$case !== "task" && payload?.$case !== "statusUpdate") return undefined;
  const { status, metadata } = payload.value;
  const state = status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
  const usage = Usage.safeParse(metadata?.["usage"]).data;
  if (state === TaskState.TASK_STATE_COMPLETED) return { is: "answer", text: artifacts.text, usage };
  const said = textOfParts(status?.message?.parts);
  if (state === TaskState.TASK_STATE_INPUT_REQUIRED)
    return { is: "input_required", taskId, text: said, data: dataOf(status) };
  if (!isTerminal(state)) return undefined;
  throw new PeerTaskError(`its task ended as ${taskStateToJSON(state)}${said ? `: ${said}` : ""}`, usage);
}

function dataOf(status: TaskStatus | undefined): readonly unknown[] {
  const Data = z.looseObject({}).optional();
  return (status?.message?.parts ?? [])
    .map(({ content }) => (content?.$case === "data" ? Data.safeParse(content.value).data : undefined))
    .filter((data) => data !== undefined);
}
