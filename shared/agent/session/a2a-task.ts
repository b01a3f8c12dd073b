// Rows and events of a Session in the shapes of A2A.
import { Role, type Artifact, type StreamResponse, type Task, type TaskStatus } from "@a2a-js/sdk";
import { textMessage, textPart } from "../../a2a/message.ts";
import type { TaskRow } from "./store.ts";

/** Id of the artifact that carries the answer's text. */
const ANSWER = "answer";

export interface TaskView {
  readonly id: string;
  readonly row: TaskRow;
  /** What was asked; left out of the history when undefined. */
  readonly question: string | undefined;
}

export function toTask({ id, row, question }: TaskView): Task {
  const ids = { contextId: row.contextId, taskId: id };
  return {
    id,
    contextId: row.contextId,
    status: toStatus(id, row),
    artifacts: row.answer === null ? [] : [toArtifact(row.answer)],
    history:
      question === undefined ? [] : [textMessage(Role.ROLE_USER, question, { ...ids, messageId: `${id}/question` })],
    metadata: toMetadata(row),
  };
}

export function taskEvent(view: TaskView): StreamResponse {
  return { payload: { $case: "task", value: toTask(view) } };
}

export function statusEvent(id: string, row: TaskRow): StreamResponse {
  const value = { taskId: id, contextId: row.contextId, status: toStatus(id, row), metadata: toMetadata(row) };
  return { payload: { $case: "statusUpdate", value } };
}

/** A piece of the answer; `append: false` replaces what was sent before. */
export function answerEvent(
  id: string,
  row: TaskRow,
  text: string,
  append: boolean,
  lastChunk = false,
): StreamResponse {
  const value = {
    taskId: id,
    contextId: row.contextId,
    artifact: toArtifact(text),
    append,
    lastChunk,
    metadata: undefined,
  };
  return { payload: { $case: "artifactUpdate", value } };
}

function toArtifact(text: string): Artifact {
  return {
    artifactId: ANSWER,
    name: "Answer",
    description: "",
    parts: [textPart(text)],
    metadata: undefined,
    extensions: [],
  };
}

function toStatus(id: string, { state, updatedAt, problem, contextId }: TaskRow): TaskStatus {
  return {
    state,
    timestamp: new Date(updatedAt).toISOString(),
    message:
      problem === null
        ? undefined
        : textMessage(Role.ROLE_AGENT, problem, { messageId: `${id}/status`, contextId, taskId: id }),
  };
}

function toMetadata({ traceId, trace, usage }: TaskRow): Record<string, unknown> {
  return { ...(trace?.isRecorded === false ? {} : { traceId }), ...(usage ? { usage } : {}) };
}
