// The A2A operations of one Session (A2A 1.0, section 3), behind the SDK's transport handlers.
import {
  Role,
  TaskState,
  type AgentCard,
  type CancelTaskRequest,
  type GetTaskRequest,
  type ListTasksRequest,
  type ListTasksResponse,
  type Message,
  type SendMessageRequest,
  type StreamResponse,
  type SubscribeToTaskRequest,
  type Task,
} from "@a2a-js/sdk";
import {
  ExtendedAgentCardNotConfiguredError,
  PushNotificationNotSupportedError,
  RequestMalformedError,
  TaskNotCancelableError,
  TaskNotFoundError,
  UnsupportedOperationError,
} from "@a2a-js/sdk/errors";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";
import { isTerminal, textOf } from "../../a2a/message.ts";
import { formatTaskId, parseTaskId, type TaskOwner, type TaskRef } from "../../a2a/task-id.ts";
import { toTask, type TaskView } from "./a2a-task.ts";
import { LiveTask } from "./live-task.ts";
import { checkHistoryLength, listPage } from "./list-page.ts";
import type { SessionStore, TaskRow } from "./store.ts";
import type { TaskTrace } from "./task-span.ts";
import type { Turns } from "./turns.ts";

export class SessionRequestHandler implements A2ARequestHandler {
  readonly #store: SessionStore;
  readonly #turns: Turns;
  readonly #owner: TaskOwner;
  readonly #key: string;
  readonly #begin: (live: LiveTask, trace: TaskTrace) => void;
  readonly #trace: (message: Message) => TaskTrace;

  constructor(parts: {
    store: SessionStore;
    turns: Turns;
    owner: TaskOwner;
    key: string;
    /** The ids under which the task of a message is traced. */
    trace: (message: Message) => TaskTrace;
    /** Called for each new task before its turn starts. */
    begin: (live: LiveTask, trace: TaskTrace) => void;
  }) {
    this.#store = parts.store;
    this.#turns = parts.turns;
    this.#owner = parts.owner;
    this.#key = parts.key;
    this.#trace = parts.trace;
    this.#begin = parts.begin;
  }

  async sendMessage(params: SendMessageRequest): Promise<Task> {
    const live = this.#start(params);
    if (!params.configuration?.returnImmediately) await live.ended;
    return toTask(withHistory(live.view, params.configuration?.historyLength));
  }

  async *sendMessageStream(params: SendMessageRequest): AsyncGenerator<StreamResponse, void, undefined> {
    yield* this.#start(params).watch();
  }

  async getTask({ id, historyLength }: GetTaskRequest): Promise<Task> {
    checkHistoryLength(historyLength);
    return toTask(withHistory(this.#find(id), historyLength));
  }

  async listTasks(params: ListTasksRequest): Promise<ListTasksResponse> {
    const rows = this.#store.tasks(params.contextId || undefined);
    const page = listPage(rows, params);
    const tasks = page.tasks.map((row) => toTask(withHistory(this.#view(row), params.historyLength ?? 0)));
    return { ...page, tasks: params.includeArtifacts ? tasks : tasks.map((task) => ({ ...task, artifacts: [] })) };
  }

  async cancelTask({ id }: CancelTaskRequest): Promise<Task> {
    const live = this.#turns.get(id);
    if (!live) {
      const { row } = this.#find(id);
      throw new TaskNotCancelableError(`Task ${id} has ended already (${TaskState[row.state]}).`);
    }
    this.#turns.cancel(live);
    await live.ended;
    return toTask(live.view);
  }

  async *resubscribe({ id }: SubscribeToTaskRequest): AsyncGenerator<StreamResponse, void, undefined> {
    const live = this.#turns.get(id);
    if (!live) {
      const { row } = this.#find(id);
      throw new UnsupportedOperationError(`Task ${id} has ended (${TaskState[row.state]}): get it with GetTask.`);
    }
    yield* live.watch();
  }

  #start({ message, configuration }: SendMessageRequest): LiveTask {
    if (!message) throw new RequestMalformedError("message is required.");
    if (!message.messageId) throw new RequestMalformedError("message.messageId is required.");
    if (message.role !== Role.ROLE_USER && message.role !== Role.ROLE_AGENT)
      throw new RequestMalformedError("message.role is required: ROLE_USER for what a client says.");
    checkHistoryLength(configuration?.historyLength);
    if (configuration?.taskPushNotificationConfig) throw new PushNotificationNotSupportedError();
    const text = textOf(message);
    if (message.taskId) {
      const { row } = this.#find(message.taskId);
      throw new UnsupportedOperationError(
        isTerminal(row.state)
          ? `Task ${message.taskId} has ended: send the message with contextId ${row.contextId} and without a taskId.`
          : `Task ${message.taskId} is working and asks for no input: wait for it, or cancel it.`,
      );
    }
    const { contextId } = message;
    const state = this.#turns.isBusy(contextId) ? TaskState.TASK_STATE_SUBMITTED : TaskState.TASK_STATE_WORKING;
    const trace = this.#trace(message);
    const row = this.#store.createTask(contextId, state, trace, { kind: "user", text });
    const live = new LiveTask(this.#id(row), row, text);
    this.#begin(live, trace);
    this.#turns.start(live);
    return live;
  }

  #find(id: string): TaskView {
    const live = this.#turns.get(id);
    if (live) return live.view;
    const ref = parseTaskId(this.#key, this.#owner, id);
    const row = ref && this.#store.task(ref);
    if (!row) throw new TaskNotFoundError(`There is no task ${id}.`);
    return this.#view(row);
  }

  #view(row: TaskRow): TaskView {
    const id = this.#id(row);
    return this.#turns.get(id)?.view ?? { id, row, question: this.#store.question(row) };
  }

  #id(ref: TaskRef): string {
    return formatTaskId(this.#key, this.#owner, ref);
  }

  async getAgentCard(): Promise<AgentCard> {
    throw new UnsupportedOperationError("The card is served at /.well-known/agent-card.json.");
  }
  async getAuthenticatedExtendedAgentCard(): Promise<AgentCard> {
    throw new ExtendedAgentCardNotConfiguredError();
  }
  async createTaskPushNotificationConfig(): Promise<never> {
    throw new PushNotificationNotSupportedError();
  }
  async getTaskPushNotificationConfig(): Promise<never> {
    throw new PushNotificationNotSupportedError();
  }
  async listTaskPushNotificationConfigs(): Promise<never> {
    throw new PushNotificationNotSupportedError();
  }
  async deleteTaskPushNotificationConfig(): Promise<never> {
    throw new PushNotificationNotSupportedError();
  }
}

/** historyLength 0 leaves the history out (A2A 1.0, section 3.2.4); a task's history here is one message. */
function withHistory(view: TaskView, historyLength: number | undefined): TaskView {
  return historyLength === 0 ? { ...view, question: undefined } : view;
}
