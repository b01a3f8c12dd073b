// Makes A2A tasks and events of a Session's rows.
import {
  Role,
  type Artifact,
  type Message,
  type Part,
  type StreamResponse,
  type Task,
  type TaskStatus,
} from "@a2a-js/sdk";
import { dataPart, textMessage, textPart } from "../../../a2a/message.ts";
import type { Approval } from "../../../loop/log/approval.ts";
import { approvalRequest } from "./approval-request.ts";
import type { TaskRow } from "./task-row.ts";

/** Id of the artifact that carries the answer's text. */
const ANSWER = "answer";

export interface TaskView {
  readonly id: string;
  readonly row: TaskRow;
  /** The message; left out of the history when undefined. */
  readonly question: string | undefined;
  /** The approvals that it waits for. */
  readonly approvals: readonly Approval[];
  /** Why its turn has to wait. */
  readonly waiting?: string | undefined;
}

export function toTask(view: TaskView): Task {
  const { id, row, question } = view;
  const ids = { contextId: row.contextId, taskId: id };
  return {
    id,
    contextId: row.contextId,
    status: toStatus(view),
    artifacts: row.answer === null ? [] : [toArtifact(row.answer, row)],
    history:
      question === undefined ? [] : [textMessage(Role.ROLE_USER, question, { ...ids, messageId: `${id}/question` })],
    metadata: toMetadata(row),
  };
}

export function taskEvent(view: TaskView): StreamResponse {
  return { payload: { $case: "task", value: toTask(view) } };
}

export function statusEvent(view: TaskView): StreamResponse {
  const { id, row } = view;
  const value = { taskId: id, contextId: row.contextId, status: toStatus(view), metadata: toMetadata(row) };
  return { payload: { $case: "statusUpdate", value } };
}

/** A piece of the answer. `append: false` replaces the pieces before. */
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
    artifact: toArtifact(text, row),
    append,
    lastChunk,
    metadata: undefined,
  };
  return { payload: { $case: "artifactUpdate", value } };
}

/** The answer: as data where the agent has an output schema, else as text. */
function toArtifact(text: string, { result }: TaskRow): Artifact {
  const structured = result?.structured_output;
  return {
    artifactId: ANSWER,
    name: "Answer",
    description: "",
    parts: [structured === undefined ? textPart(text) : dataPart(structured)],
    metadata: undefined,
    extensions: [],
  };
}

function toStatus(view: TaskView): TaskStatus {
  const { state, updatedAt } = view.row;
  return { state, timestamp: new Date(updatedAt).toISOString(), message: statusMessage(view) };
}

function statusMessage({ id, row, approvals, waiting }: TaskView): Message | undefined {
  const ids = { messageId: `${id}/status`, contextId: row.contextId, taskId: id };
  if (approvals.length > 0) {
    const { text, data } = approvalRequest(approvals);
    const parts: Part[] = [textPart(text), dataPart(data)];
    return { ...textMessage(Role.ROLE_AGENT, text, ids), parts };
  }
  const said = row.problem ?? waiting;
  return said === undefined ? undefined : textMessage(Role.ROLE_AGENT, said, ids);
}

function toMetadata({ traceId, trace, usage, result }: TaskRow): Record<string, unknown> {
  const { structured_output: _, ...said } = result ?? {};
  return {
    ...(trace?.isRecorded === false ? {} : { traceId }),
    ...(usage ? { usage } : {}),
    ...(result ? { result: said } : {}),
  };
}
