// Makes A2A tasks and events of a Session's rows.
import { Message, Role, type Artifact, type Part, type StreamResponse, type Task, type TaskStatus } from "@a2a-js/sdk";
import { EXTENSION } from "../../../a2a/extensions.ts";
import { dataPart, textMessage, textPart } from "../../../a2a/message.ts";
import type { Approval } from "../../../loop/log/approval.ts";
import type { CodeQuestion } from "../../../loop/log/ledger.ts";
import { approvalRequest } from "./approval-request.ts";
import type { TaskResult, TaskRow } from "./task-row.ts";

/** Id of the artifact that carries the answer's text. */
const ANSWER = "answer";

export interface TaskView {
  readonly id: string;
  readonly row: TaskRow;
  /** Its messages, as they were said. */
  readonly history: () => readonly Message[];
  /** Its artifacts beside the answer. */
  readonly artifacts: () => readonly Artifact[];
  /** The approvals that it waits for. */
  readonly approvals: readonly Approval[];
  /** The question of the agent's code that it waits for. */
  readonly question?: CodeQuestion | undefined;
  /** Why its turn has to wait, or what it does. */
  readonly says?: string | undefined;
  /** How often it has said something: each time has an id of its own. */
  readonly saidTimes?: number;
}

/** `historyLength`: the newest messages that the task has; all when left out (A2A 1.0, section 3.2.4). */
export function toTask(view: TaskView, historyLength?: number): Task {
  const { id, row, history, artifacts } = view;
  return {
    id,
    contextId: row.contextId,
    status: toStatus(view),
    artifacts: [...artifacts(), ...(row.answer === null ? [] : [toArtifact(row.answer, row)])],
    history: historyLength === 0 ? [] : history().slice(historyLength === undefined ? 0 : -historyLength),
    metadata: toMetadata(row),
  };
}

export function taskEvent(view: TaskView, historyLength?: number): StreamResponse {
  return { payload: { $case: "task", value: toTask(view, historyLength) } };
}

export function statusEvent(view: TaskView): StreamResponse {
  const { id, row } = view;
  const value = { taskId: id, contextId: row.contextId, status: toStatus(view), metadata: toMetadata(row) };
  return { payload: { $case: "statusUpdate", value } };
}

/** The message with which the task was answered; undefined where the task itself is the answer. */
export function replyOf({ row, history }: TaskView): Message | undefined {
  const said = row.result?.is_message ? history().at(-1) : undefined;
  return said && { ...said, taskId: "" };
}

/** A piece of the answer, or the whole. `next` adds to the pieces before, the others replace them. */
export function answerEvent(id: string, row: TaskRow, text: string, is: "first" | "next" | "whole"): StreamResponse {
  return artifactEvent(id, row, toArtifact(text, row), is === "next", is === "whole");
}

export function artifactEvent(
  id: string,
  row: TaskRow,
  artifact: Artifact,
  append: boolean,
  lastChunk: boolean,
): StreamResponse {
  const value = { taskId: id, contextId: row.contextId, artifact, append, lastChunk, metadata: undefined };
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

/** What the agent says of the task's state: its question, why the task failed, or why it waits. */
export function statusMessage({
  id,
  row,
  approvals,
  question,
  says,
  saidTimes = 0,
  history,
}: TaskView): Message | undefined {
  const said = row.problem ?? says;
  if (approvals.length === 0 && !question && said === undefined) return undefined;
  const isWord = approvals.length === 0 && !question && row.problem === null;
  const messageId = `${id}/status/${history().length}${isWord ? `.${saidTimes}` : ""}`;
  const ids = { messageId, contextId: row.contextId, taskId: id };
  if (approvals.length > 0) {
    const { text, data } = approvalRequest(approvals);
    const parts: Part[] = [textPart(text), dataPart(data)];
    return { ...textMessage(Role.ROLE_AGENT, text, ids), parts, extensions: [EXTENSION.approvals] };
  }
  if (question) return { ...Message.fromJSON(question.message), ...ids, role: Role.ROLE_AGENT };
  return textMessage(Role.ROLE_AGENT, said ?? "", ids);
}

function toMetadata({ traceId, trace, usage, result }: TaskRow): Record<string, unknown> {
  return {
    ...(trace?.isRecorded === false ? {} : { traceId }),
    ...(usage ? { usage } : {}),
    ...(result ? { result: toResult(result) } : {}),
  };
}

/** In the case of ProtoJSON (A2A 1.0, section 5.5). The artifact has the structured output. */
function toResult({ subtype, num_turns, total_cost_usd, permission_denials }: TaskResult): Record<string, unknown> {
  return {
    subtype,
    numTurns: num_turns,
    ...(total_cost_usd === undefined ? {} : { totalCostUsd: total_cost_usd }),
    permissionDenials: permission_denials.map(({ tool_name, tool_use_id, tool_input }) => ({
      toolName: tool_name,
      toolUseId: tool_use_id,
      toolInput: tool_input,
    })),
  };
}
