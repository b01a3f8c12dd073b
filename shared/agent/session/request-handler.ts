// The A2A operations of one Session (A2A 1.0, section 3), behind the SDK's transport handlers.
import {
  Role,
  TaskState,
  type AgentCard,
  type CancelTaskRequest,
  type DeleteTaskPushNotificationConfigRequest,
  type GetTaskPushNotificationConfigRequest,
  type GetTaskRequest,
  type ListTaskPushNotificationConfigsRequest,
  type ListTaskPushNotificationConfigsResponse,
  type ListTasksRequest,
  type ListTasksResponse,
  type Message,
  type SendMessageRequest,
  type StreamResponse,
  type SubscribeToTaskRequest,
  type Task,
  type TaskPushNotificationConfig,
} from "@a2a-js/sdk";
import {
  ExtendedAgentCardNotConfiguredError,
  RequestMalformedError,
  TaskNotCancelableError,
  TaskNotFoundError,
  UnsupportedOperationError,
} from "@a2a-js/sdk/errors";
import type { A2ARequestHandler } from "@a2a-js/sdk/server";
import { checkModes, TEXT_TYPES } from "../../a2a/file-parts.ts";
import { checkParts, isTerminal, plainTextOf, textOf } from "../../a2a/message.ts";
import { formatTaskId, parseTaskId, type TaskOwner, type TaskRef } from "../../a2a/task-id.ts";
import type { Approval, ApprovalAnswer } from "../../loop/log/approval.ts";
import { parseAnswers, repetition } from "./approvals/answers.ts";
import { hasAnswers, pendingApprovals, pendingQuestion } from "../../loop/log/ledger.ts";
import { replyOf, statusMessage, taskEvent, toTask, type TaskView } from "./tasks/task-view.ts";
import { exchange, isSame, saidOf } from "./tasks/history.ts";
import { LiveTask } from "./tasks/live-task.ts";
import { checkHistoryLength, listPage } from "../session-index/list-page.ts";
import type { TaskRow } from "./tasks/task-row.ts";
import type { Asker, Caller } from "../caller.ts";
import { newTaskTrace, type TaskTrace } from "./tasks/task-trace.ts";
import type { Tasks } from "./tasks/tasks.ts";
import type { Approvals } from "./approvals/approvals.ts";
import type { PushNotifications } from "./push/push-notifications.ts";
import type { PushConfig } from "./push/push-store.ts";
import { tooMany } from "../../http/caller-limits.ts";
import type { Refusal } from "../../http/gate.ts";
import { slotsOf } from "../slots.ts";
import { agentCard } from "../card.ts";
import { configOf } from "../env.ts";
import { parseTraceparent } from "../../tracing/trace-context.ts";
import type { Turns } from "./turns/turns.ts";

/** How long a stream waits for a bare message. Clients give up after five seconds without a byte. */
const REPLY_MS = 1_000;
/** Characters of a client's id that an error repeats. */
const MAX_SHOWN = 200;

/** Messages of a thread that may wait behind the one at work. */
const MAX_WAITING = 100;

/** The request that an operation came with. */
export interface SessionRequest {
  /** A2A method name. */
  readonly method: string;
  /** It came in the form of A2A 0.3. */
  readonly isLegacy: boolean;
  readonly caller: Caller;
  /** Aborts when the client of a stream has gone. */
  readonly gone?: AbortSignal | undefined;
}

/** The parts of a Session that carry its operations out. */
export interface SessionParts {
  readonly tasks: Tasks;
  readonly approvals: Approvals;
  readonly turns: Turns;
  readonly push: PushNotifications;
}

export class SessionRequestHandler implements A2ARequestHandler {
  readonly #tasks: Tasks;
  readonly #approvals: Approvals;
  readonly #turns: Turns;
  readonly #push: PushNotifications;
  readonly #request: SessionRequest;
  readonly #owner: TaskOwner;
  /** Why the request was refused, where A2A has no error for that. */
  refusal: Refusal | undefined;

  constructor({ tasks, approvals, turns, push }: SessionParts, request: SessionRequest) {
    this.#tasks = tasks;
    this.#approvals = approvals;
    this.#turns = turns;
    this.#push = push;
    this.#request = request;
    this.#owner = { agent: configOf(tasks.env).id, principal: request.caller.principal };
  }

  async sendMessage(params: SendMessageRequest): Promise<Task | Message> {
    const taken = this.#take(params);
    if (taken instanceof LiveTask && params.configuration?.returnImmediately) taken.announce();
    else if (taken instanceof LiveTask) await taken.atRest;
    const view = viewOf(taken);
    return replyOf(view) ?? toTask(view, params.configuration?.historyLength);
  }

  async *sendMessageStream(params: SendMessageRequest): AsyncGenerator<StreamResponse, void, undefined> {
    const taken = this.#take(params);
    // An agent does nothing with a part of an answer.
    const { caller, gone } = this.#request;
    const pieces = caller.chain.length === 0;
    const historyLength = params.configuration?.historyLength;
    const events = taken instanceof LiveTask ? taken.watch({ toRest: true, pieces, historyLength, gone }) : undefined;
    if (taken instanceof LiveTask) await this.#seen(taken);
    const view = viewOf(taken);
    const reply = replyOf(view);
    if (reply) yield { payload: { $case: "message", value: reply } };
    else if (events) yield* events;
    else yield taskEvent(view, historyLength);
  }

  async getTask({ id, historyLength }: GetTaskRequest): Promise<Task> {
    checkHistoryLength(historyLength);
    return toTask(this.#find(id), historyLength);
  }

  async listTasks(params: ListTasksRequest): Promise<ListTasksResponse> {
    const rows = this.#tasks.store.tasks(params.contextId || undefined);
    const page = listPage(rows, params);
    const tasks = page.tasks
      .flatMap((ref) => this.#tasks.store.task(ref) ?? [])
      .map((row) => this.#view(row))
      .map((view) => toTask(params.includeArtifacts ? view : withoutArtifacts(view), params.historyLength ?? 0));
    return { ...page, tasks };
  }

  async cancelTask({ id }: CancelTaskRequest): Promise<Task> {
    const { row } = this.#find(id);
    if (isTerminal(row.state)) {
      throw new TaskNotCancelableError(`Task ${id} has ended already (${TaskState[row.state]}).`);
    }
    const live = this.#revive(row);
    this.#turns.cancel(live);
    await live.atRest;
    return toTask(live.view);
  }

  async *resubscribe({ id }: SubscribeToTaskRequest): AsyncGenerator<StreamResponse, void, undefined> {
    const { row } = this.#find(id);
    if (isTerminal(row.state)) {
      throw new UnsupportedOperationError(`Task ${id} has ended (${TaskState[row.state]}): get it with GetTask.`);
    }
    yield* this.#revive(row).watch({ toRest: false, gone: this.#request.gone });
  }

  /** An agent's own code may answer without a task: then there is none to show before. */
  async #seen(live: LiveTask): Promise<void> {
    if (!this.#tasks.definition.run || live.isAnnounced) return;
    const timer = setTimeout(() => live.announce(), REPLY_MS);
    await live.announced;
    clearTimeout(timer);
  }

  /** Starts or resumes the task of a message. Returns the task as it is where the message had come before. */
  #take({ message, configuration }: SendMessageRequest): LiveTask | TaskView {
    if (!message) throw new RequestMalformedError("message is required.");
    if (!message.messageId) throw new RequestMalformedError("message.messageId is required.");
    if (message.role !== Role.ROLE_USER && message.role !== Role.ROLE_AGENT)
      throw new RequestMalformedError("message.role is required: ROLE_USER for what a client says.");
    checkHistoryLength(configuration?.historyLength);
    const wanted = configuration?.taskPushNotificationConfig;
    const push = wanted && this.#push.check(wanted, this.#request.isLegacy);
    return message.taskId ? this.#answer(message, push) : this.#open(message, push);
  }

  #open(message: Message, push: PushConfig | undefined): LiveTask | TaskView {
    const { contextId, messageId } = message;
    if (!this.#tasks.holds(this.#request.caller.principal, contextId))
      throw new RequestMalformedError("The message belongs to another session: leave its taskId out.");
    const text = this.#textOf(message);
    const known = this.#tasks.store.taskOfMessage(contextId, messageId);
    if (known) return this.#repeated(known, message);
    const ahead = this.#turns.ahead(contextId);
    if (ahead > MAX_WAITING) {
      this.refusal = tooMany(`${ahead - 1} messages of this conversation wait already, which is the limit.`);
      throw new Error(this.refusal[0].detail);
    }
    const suspended = this.#tasks.store.waitingTask(contextId);
    if (suspended) this.#checkChain(suspended);
    if (suspended) this.#turns.dismiss(this.#revive(suspended));
    const waits = ahead > 0 || slotsOf(this.#tasks.env).isFull;
    const state = waits ? TaskState.TASK_STATE_SUBMITTED : TaskState.TASK_STATE_WORKING;
    const { caller } = this.#request;
    const trace = this.#traceOf(messageId);
    let id = "";
    const asker = (ref: TaskRef): Asker => {
      id = this.#id(ref);
      const { principal, chain, query = id } = caller;
      return { principal, chain: [...chain], query };
    };
    // Only a person, not an agent, gives commands.
    const command = caller.chain.length === 0 && !this.#tasks.definition.run ? commandIn(text) : {};
    const said = saidOf(message, text);
    const first = { kind: "user", text, ...command, ...(said ? { said } : {}) } as const;
    const row = this.#tasks.store.createTask({ contextId, state, trace, messageId, asker, first });
    const live = this.#tasks.live(id, row, text);
    if (waits) live.announce();
    if (push) this.#push.open(live.view, push);
    this.#tasks.begin(live, caller.receivedAt);
    this.#turns.start(live);
    return live;
  }

  /** Throws A2AError for a message that the agent does not take. */
  #textOf(message: Message): string {
    checkParts(message);
    const { run, inputModes = TEXT_TYPES } = this.#tasks.definition;
    if (!run) return textOf(message);
    checkModes(message.parts, inputModes);
    return plainTextOf(message);
  }

  /** The message came before, perhaps over a connection that broke: its task answers both. */
  #repeated(row: TaskRow, message: Message): LiveTask | TaskView {
    const view = this.#view(row);
    if (!isSame(view.history()[0], message)) throw messageIdTaken(row.messageId ?? "");
    return this.#tasks.get(view.id) ?? view;
  }

  #answer(message: Message, push: PushConfig | undefined): LiveTask | TaskView {
    checkParts(message);
    const view = this.#find(message.taskId);
    const { row } = view;
    // A2A 1.0, section 3.4.3.
    if (message.contextId && message.contextId !== row.contextId) {
      throw new RequestMalformedError(
        `Task ${view.id} belongs to contextId ${row.contextId}, and the message names another: leave its contextId out.`,
      );
    }
    this.#checkChain(row);
    const steps = this.#tasks.store.ownSteps(row);
    const known = view
      .history()
      .find(({ messageId, role }) => messageId === message.messageId && role !== Role.ROLE_AGENT);
    if (known && isSame(known, message)) return this.#tasks.get(view.id) ?? view;
    const repeated = repetition(steps, message.messageId, message.parts);
    if (known && repeated === "new") throw messageIdTaken(message.messageId);
    if (repeated === "other") throw messageIdTaken(message.messageId);
    if (repeated === "same") return this.#tasks.get(view.id) ?? view;
    if (isTerminal(row.state)) {
      throw new UnsupportedOperationError(
        `Task ${view.id} has ended: send the message with contextId ${row.contextId} and without a taskId.`,
      );
    }
    if (row.state !== TaskState.TASK_STATE_INPUT_REQUIRED) {
      throw new UnsupportedOperationError(
        `Task ${view.id} is working and asks for no input: wait for it, or cancel it.`,
      );
    }
    const waiting = { approvals: view.approvals, hasAnswers: hasAnswers(steps) };
    const answers = view.question ? [] : answersIn(message, waiting, Date.now());
    if (push) this.#push.save(row, push);
    const live = this.#revive(row);
    const asked = statusMessage(live.view);
    if (asked) this.#tasks.store.append(row, exchange(asked, message), this.#tasks.store.threadLog(row).workedMs);
    if (view.question) this.#approvals.answerQuestion(row);
    else this.#approvals.answer(row, answers, message.messageId);
    this.#turns.resume(live);
    return live;
  }

  /** Only whoever asked may answer, not everybody who acts for the same person. */
  #checkChain({ asker }: TaskRow): void {
    const opened = asker?.chain ?? [];
    if (opened.join(" ") === this.#request.caller.chain.join(" ")) return;
    const by = opened.length === 0 ? "a person" : `the agent ${opened.at(-1)}`;
    throw new UnsupportedOperationError(
      `This task was opened by ${by}, and only from there it is answered: answer the task in which the question came to you.`,
    );
  }

  /** The live task of an open row. After a restart a suspended task is not live yet. */
  #revive(row: TaskRow): LiveTask {
    return this.#tasks.get(this.#id(row)) ?? this.#tasks.revive(row);
  }

  #find(id: string): TaskView {
    const live = this.#tasks.get(id);
    if (live) return live.view;
    const ref = parseTaskId(this.#tasks.env.TROUPE_KEY, this.#owner, id);
    const row = ref && this.#tasks.store.task(ref);
    if (!row || row.result?.is_message) throw new TaskNotFoundError(`The task ${id} was not found.`);
    return this.#view(row);
  }

  #view(row: TaskRow): TaskView {
    const id = this.#id(row);
    const waits = row.state === TaskState.TASK_STATE_INPUT_REQUIRED;
    const { store } = this.#tasks;
    const own = waits ? store.ownSteps(row) : [];
    const [history, artifacts] = [() => store.history(id, row), () => store.artifacts(row)];
    const waiting = { approvals: pendingApprovals(own), question: pendingQuestion(own) };
    return this.#tasks.get(id)?.view ?? { id, row, history, artifacts, ...waiting };
  }

  #id(ref: TaskRef): string {
    return formatTaskId(this.#tasks.env.TROUPE_KEY, this.#owner, ref);
  }

  /** The ids under which the task of a message is traced. */
  #traceOf(messageId: string): TaskTrace {
    const { method, caller } = this.#request;
    const isRecorded = configOf(this.#tasks.env).tracing.enabled;
    return newTaskTrace(parseTraceparent(caller.traceparent), caller.chain, { method, messageId, isRecorded });
  }

  /** The SDK reads the agent's capabilities there. */
  async getAgentCard(): Promise<AgentCard> {
    return agentCard(this.#tasks.definition, configOf(this.#tasks.env));
  }
  async getAuthenticatedExtendedAgentCard(): Promise<AgentCard> {
    throw new ExtendedAgentCardNotConfiguredError();
  }
  async createTaskPushNotificationConfig(params: TaskPushNotificationConfig): Promise<TaskPushNotificationConfig> {
    const { row } = this.#find(params.taskId);
    return this.#push.save(row, this.#push.check(params, this.#request.isLegacy));
  }
  async getTaskPushNotificationConfig({
    taskId,
    id,
  }: GetTaskPushNotificationConfigRequest): Promise<TaskPushNotificationConfig> {
    return this.#push.get(this.#find(taskId).row, id);
  }
  async listTaskPushNotificationConfigs(
    params: ListTaskPushNotificationConfigsRequest,
  ): Promise<ListTaskPushNotificationConfigsResponse> {
    return this.#push.list(this.#find(params.taskId).row, params);
  }
  async deleteTaskPushNotificationConfig({ taskId, id }: DeleteTaskPushNotificationConfigRequest): Promise<void> {
    this.#push.delete(this.#find(taskId).row, id);
  }
}

function messageIdTaken(messageId: string): RequestMalformedError {
  return new RequestMalformedError(
    `The messageId ${messageId.slice(0, MAX_SHOWN)} was given to another message of this context: give each message an id of its own.`,
  );
}

function withoutArtifacts(view: TaskView): TaskView {
  return { ...view, row: { ...view.row, answer: null }, artifacts: () => [] };
}

function viewOf(taken: LiveTask | TaskView): TaskView {
  return taken instanceof LiveTask ? taken.view : taken;
}

function commandIn(text: string): { command?: "compact" } {
  return /^\/compact(\s|$)/.test(text) ? { command: "compact" } : {};
}

interface WaitingApprovals {
  readonly approvals: readonly Approval[];
  readonly hasAnswers: boolean;
}

/** The answers in a message. Throws RequestMalformedError for what is no answer, or for an approval that does not wait. */
function answersIn(message: Message, waiting: WaitingApprovals, now: number): readonly ApprovalAnswer[] {
  const parsed = parseAnswers(message.parts, waiting);
  if ("error" in parsed) throw new RequestMalformedError(parsed.error);
  const late = parsed.answers.find(({ id }) =>
    waiting.approvals.some((other) => other.id === id && other.expiresAt <= now),
  );
  if (late) throw new RequestMalformedError(`The approval ${late.id} has expired, which counts as a no.`);
  return parsed.answers;
}
