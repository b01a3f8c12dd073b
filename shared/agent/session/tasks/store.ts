// The tasks of a Session and their steps. What a message needs is in memory: the object is the only writer of its log.
import { TaskState, type Artifact, type Message } from "@a2a-js/sdk";
import { isTerminal } from "../../../a2a/message.ts";
import type { TaskRef } from "../../../a2a/task-id.ts";
import type { Step } from "../../../loop/log/step.ts";
import type { Asker } from "../../caller.ts";
import type { Listed, SessionEntry } from "../../rpc.ts";
import { type Change, Entries, type Mark, type OpenedThread } from "./entries.ts";
import { beginOf } from "./thread-begin.ts";
import { artifactsIn } from "./artifacts.ts";
import { type Forgetful, KeptSteps } from "./kept-steps.ts";
import { historyOf } from "./history.ts";
import { FIRST_LIFE, type Life, type TaskEnd, type TaskRow } from "./task-row.ts";
import type { TaskTrace } from "./task-trace.ts";

/** Tasks of a thread that are read as a whole. */
const LONG = 100;
const SESSION_END: Step = { kind: "session_end" };

export interface NewTask {
  readonly contextId: string;
  readonly state: TaskState;
  readonly trace: TaskTrace;
  readonly messageId: string;
  /** Called once. A function of the task's number, because a query that begins here is named after its task. */
  readonly asker: (ref: TaskRef) => Asker;
  /** The message to answer. */
  readonly first: Step;
}

/** The log of a thread, up to one of its tasks. */
export interface ThreadLog {
  /** Up to and including the task's own steps. Steps of tasks that wait behind it are left out. */
  readonly steps: Step[];
  /** Index of the task's first step. */
  readonly begin: number;
  /** Milliseconds of work that the task had cost when its last step was written. */
  readonly workedMs: number;
  /** False where steps were left out that the model does not see any more. */
  readonly isWhole: boolean;
}

/** What memory has of a task. */
interface Head extends TaskRef {
  /** Of the entry that begins it. */
  readonly id: number;
  readonly messageId: string | null;
  state: TaskState;
  updatedAt: number;
  /** Ids of the entries that changed it. */
  readonly changes: number[];
  /** The whole row, from when it is first read or written until the task ends. */
  row: TaskRow | undefined;
  /** Its steps, while they are kept. */
  log: TaskLog | undefined;
  /** It was answered by a bare message: clients know no such task. */
  isMessage: boolean;
}

/** A task as lists in the order of their beginnings need it. */
export type Begun = Readonly<Pick<Head, "id" | "contextId" | "n" | "messageId" | "state">>;

interface TaskLog {
  readonly steps: Step[];
  workedMs: number;
}

interface Thread {
  /** In the order of their numbers. */
  readonly tasks: Head[];
  readonly byMessage: Map<string, Head>;
}

/** Learns of what is written. What it writes itself commits with that. */
export interface StoreListener {
  /** The task has another state. */
  changed(row: TaskRow): void;
  added(ref: TaskRef, step: Step): void;
}

export class SessionStore implements Forgetful {
  readonly #entries: Entries;
  readonly #mayReply: boolean;
  /** Read with the first use. */
  #threads: Map<string, Thread> | undefined;
  #lastId = 0;
  readonly #open = new Set<Head>();
  readonly #kept = new KeptSteps(this);
  #listener: StoreListener | undefined;
  /** Steps that wait to be written. */
  #later: { readonly ref: TaskRef; readonly step: Step; readonly workedMs: number }[] = [];

  /** `mayReply`: whether the agent may answer with bare messages. */
  constructor(sql: SqlStorage, { mayReply = false } = {}) {
    this.#entries = new Entries(sql);
    this.#mayReply = mayReply;
  }

  forgetSteps(): void {
    for (const { tasks } of this.#threads?.values() ?? []) for (const head of tasks) head.log = undefined;
  }

  listen(listener: StoreListener): void {
    this.#listener = listener;
  }

  /** Begins a task of the thread with the message to answer as its first step. */
  createTask({ contextId, state, trace, messageId, asker, first }: NewTask): TaskRow {
    const thread = this.#thread(contextId);
    const n = (thread.tasks.at(-1)?.n ?? 0) + 1;
    const now = Date.now();
    const askedBy = asker({ contextId, n });
    const row: TaskRow = {
      contextId,
      n,
      state,
      createdAt: now,
      updatedAt: now,
      traceId: trace.traceId,
      trace,
      messageId,
      asker: askedBy,
      life: FIRST_LIFE,
      wakeAt: null,
      answer: null,
      problem: null,
      usage: null,
      result: null,
    };
    this.flush();
    const id = this.#lastId + 1;
    const begun = { contextId, n, state, at: now, trace, messageId, asker: askedBy, first };
    const length = this.#entries.begin(id, begun);
    this.#lastId = id;
    const log = { steps: [first], workedMs: 0 };
    const about = { id, contextId, n, messageId, state, updatedAt: now, changes: [] };
    const head: Head = { ...about, row, log, isMessage: false };
    this.#add(head, thread);
    this.#kept.use(length);
    return row;
  }

  /** Sets a state that is not the last. `wakeAt`: when the next approval expires. */
  setState(row: TaskRow, state: TaskState, wakeAt: number | null = null): TaskRow {
    return this.#change(row, { ...row, state, updatedAt: Date.now(), wakeAt }, { wakeAt });
  }

  /** Begins another life of the task's turn. */
  setLife(row: TaskRow, life: Life, trace: TaskTrace): TaskRow {
    return this.#change(row, { ...row, life, trace }, { life, trace });
  }

  endTask(row: TaskRow, { state, ...end }: TaskEnd): TaskRow {
    const change = { wakeAt: null, ...end };
    return this.#change(row, { ...row, ...change, state, updatedAt: Date.now() }, change);
  }

  /** `workedMs`: milliseconds of work on the task so far. */
  append(ref: TaskRef, step: Step, workedMs: number): void {
    const head = this.#head(ref);
    this.flush();
    const length = this.#entries.step(this.#lastId + 1, head.id, step, workedMs);
    this.#lastId++;
    if (head.log) {
      head.log.steps.push(step);
      head.log.workedMs = Math.round(workedMs);
      this.#kept.use(length);
    }
    this.#listener?.added(ref, step);
  }

  /** As `append`, but on disk only with the next entry, or with `flush`. */
  appendLater(ref: TaskRef, step: Step, workedMs: number): void {
    this.#later.push({ ref, step, workedMs });
  }

  /** Writes the steps that wait. */
  flush(): void {
    const waiting = this.#later;
    if (waiting.length === 0) return;
    this.#later = [];
    for (const { ref, step, workedMs } of waiting) this.append(ref, step, workedMs);
  }

  task(ref: TaskRef): TaskRow | undefined {
    const head = this.#find(ref);
    return head && this.#row(head);
  }

  /** The task that a message opened. A message opens one task, however often it comes. */
  taskOfMessage(contextId: string, messageId: string): TaskRow | undefined {
    const head = this.#loaded.get(contextId)?.byMessage.get(messageId);
    return head && this.#row(head);
  }

  /** The tasks of a thread, or of the whole session, in no particular order. */
  tasks(contextId?: string): Listed[] {
    const threads = contextId === undefined ? [...this.#loaded.values()] : [this.#loaded.get(contextId)];
    return threads.flatMap((thread) => thread?.tasks.filter(({ isMessage }) => !isMessage) ?? []);
  }

  /** All tasks of the session in the order in which they began. */
  begun(): Begun[] {
    return [...this.#loaded.values()].flatMap(({ tasks }) => tasks).sort((a, b) => a.id - b.id);
  }

  /** The steps of these tasks, by their ids. Memory keeps none of them. Throws what cannot be read. */
  readSteps(tasks: readonly Begun[]): Map<number, Step[]> {
    this.flush();
    const steps = new Map<number, Step[]>(tasks.map(({ id }) => [id, []]));
    if (tasks.length === 0) return steps;
    for (const { task, step } of this.#entries.steps(tasks.map(({ id }) => id))) steps.get(task)?.push(step);
    return steps;
  }

  /** The entries of these tasks, for another session. */
  readEntries(tasks: readonly Begun[]): SessionEntry[] {
    this.flush();
    return tasks.length === 0 ? [] : this.#entries.raw(tasks.map(({ id }) => id));
  }

  /** Writes entries of another session, in order, as the next tasks of a thread of this one. */
  writeEntries(contextId: string, entries: readonly SessionEntry[]): void {
    this.flush();
    let n = this.#loaded.get(contextId)?.tasks.at(-1)?.n ?? 0;
    let id = this.#lastId;
    const tasks = new Map<number, number>();
    for (const entry of entries) {
      id++;
      const begins = entry.id === entry.task ? { contextId, n: ++n } : undefined;
      if (begins) tasks.set(entry.task, id);
      const task = tasks.get(entry.task);
      if (task !== undefined) this.#entries.putRaw({ ...entry, id, task }, begins);
    }
    // The next look reads everything anew.
    this.#kept.forget();
    this.#threads = undefined;
    this.#open.clear();
  }

  /** The tasks that changed no more than `ms` milliseconds before the last change of any. */
  changedLast(ms: number): TaskRef[] {
    const heads = [...this.#loaded.values()].flatMap(({ tasks }) => tasks);
    const last = heads.reduce((at, head) => Math.max(at, head.updatedAt), 0);
    return heads.filter((head) => last - head.updatedAt <= ms).map(({ contextId, n }) => ({ contextId, n }));
  }

  /** The tasks that have not ended, oldest first within a thread. */
  openTasks(): TaskRow[] {
    return this.#openHeads.map((head) => this.#row(head));
  }

  /** The suspended task of a thread, if there is one. */
  waitingTask(contextId: string): TaskRow | undefined {
    const head = this.#openHeads.find(
      (other) => other.contextId === contextId && other.state === TaskState.TASK_STATE_INPUT_REQUIRED,
    );
    return head && this.#row(head);
  }

  /** The last task of each thread in which no task is open, and that has no session_end. */
  restingTasks(): TaskRow[] {
    return [...this.#loaded.values()].flatMap(({ tasks }) => {
      const last = tasks.at(-1);
      if (!last || tasks.some((head) => this.#open.has(head)) || this.#entries.has(last.id, SESSION_END)) return [];
      return this.#row(last);
    });
  }

  /** Whether a task of the same thread came after this one and has not ended. */
  hasLater({ contextId, n }: TaskRef): boolean {
    return this.#openHeads.some((head) => head.contextId === contextId && head.n > n);
  }

  /** Of a long thread only what a compaction has left: memory must not grow with the thread. */
  threadLog(ref: TaskRef): ThreadLog {
    const { contextId, n } = this.#head(ref);
    const heads = (this.#loaded.get(contextId)?.tasks ?? []).filter((head) => head.n <= n);
    const skipped =
      heads.length <= LONG ? 0 : beginOf(heads.length, (from, to) => this.#stepsOf(heads.slice(from, to)));
    const logs = this.#logs(heads.slice(skipped));
    const own = logs.at(-1);
    const steps = logs.flatMap((log) => log.steps);
    const begin = steps.length - (own?.steps.length ?? 0);
    return { steps, begin, workedMs: own?.workedMs ?? 0, isWhole: skipped === 0 };
  }

  /** All threads that a thread has opened at other agents. */
  peerThreads(contextId: string): OpenedThread[] {
    this.flush();
    return this.#entries.peerThreads(contextId);
  }

  /** The agents that the session has found, as steps. */
  foundSteps(): Step[] {
    this.flush();
    return this.#entries.found();
  }

  /** The steps of one task. */
  ownSteps(ref: TaskRef): Step[] {
    return this.#logs([this.#head(ref)]).flatMap(({ steps }) => steps);
  }

  /** The steps of all threads of the session. */
  allSteps(): Step[] {
    const heads = [...this.#loaded.values()].flatMap(({ tasks }) => tasks);
    return this.#logs(heads).flatMap(({ steps }) => steps);
  }

  /** What a task was asked. */
  question(ref: TaskRef): string {
    const first = this.#first(this.#head(ref));
    return first?.kind === "user" ? first.text : "";
  }

  /** The messages of a task with this id, as they were said. */
  history(taskId: string, row: TaskRow): Message[] {
    const head = this.#head(row);
    return historyOf(taskId, row, this.#first(head), this.#ofKind(head, "said"));
  }

  /** The artifacts of a task beside its answer. */
  artifacts(ref: TaskRef): Artifact[] {
    return artifactsIn(this.#ofKind(this.#head(ref), "artifact"));
  }

  #ofKind<Kind extends "said" | "artifact">({ id, log }: Head, kind: Kind): Extract<Step, { kind: Kind }>[] {
    const isOfKind = (step: Step): step is Extract<Step, { kind: Kind }> => step.kind === kind;
    return log ? log.steps.filter(isOfKind) : this.#entries.ofKind(id, kind);
  }

  #stepsOf(heads: readonly Head[]): (readonly Step[])[] {
    return this.#logs(heads).map(({ steps }) => steps);
  }

  #first({ id, log }: Head): Step | undefined {
    return log ? log.steps[0] : this.#entries.first(id);
  }

  get #loaded(): Map<string, Thread> {
    if (this.#threads) return this.#threads;
    const heads = headsOf(this.#entries.marks());
    const messages = this.#mayReply ? this.#entries.answeredByMessage() : new Set<number>();
    for (const head of heads) head.isMessage = messages.has(head.id);
    this.#lastId = this.#entries.lastId();
    this.#threads = new Map();
    for (const head of heads) this.#add(head, this.#thread(head.contextId));
    return this.#threads;
  }

  get #openHeads(): Head[] {
    const heads = this.#loaded.size > 0 ? [...this.#open] : [];
    return heads.sort((a, b) => (a.contextId < b.contextId ? -1 : a.contextId > b.contextId ? 1 : a.n - b.n));
  }

  #thread(contextId: string): Thread {
    const thread = this.#loaded.get(contextId) ?? { tasks: [], byMessage: new Map<string, Head>() };
    this.#loaded.set(contextId, thread);
    return thread;
  }

  #add(head: Head, { tasks, byMessage }: Thread): void {
    tasks.push(head);
    if (head.messageId !== null) byMessage.set(head.messageId, head);
    if (!isTerminal(head.state)) this.#open.add(head);
  }

  #find({ contextId, n }: TaskRef): Head | undefined {
    const tasks = this.#loaded.get(contextId)?.tasks ?? [];
    // Numbers begin with 1 and leave no gap.
    const likely = tasks[n - 1];
    return likely?.n === n ? likely : tasks.find((head) => head.n === n);
  }

  #head(ref: TaskRef): Head {
    const head = this.#find(ref);
    if (!head) throw new Error(`The session has no task ${ref.n} in the thread ${ref.contextId}.`);
    return head;
  }

  #row(head: Head): TaskRow {
    const row = head.row ?? this.#entries.row(head, head.id, head.changes);
    if (!isTerminal(head.state)) head.row = row;
    return row;
  }

  #change(ref: TaskRef, row: TaskRow, change: Change): TaskRow {
    const head = this.#head(ref);
    this.flush();
    const id = this.#lastId + 1;
    const isNews = row.state !== head.state;
    this.#entries.change(id, head.id, row.state, row.updatedAt, change);
    this.#lastId = id;
    head.changes.push(id);
    head.state = row.state;
    head.updatedAt = row.updatedAt;
    head.isMessage = row.result?.is_message === true;
    const isOver = isTerminal(row.state);
    // Answers are long, and seldom asked for again.
    head.row = isOver ? undefined : row;
    if (isOver) this.#open.delete(head);
    if (isNews) this.#listener?.changed(row);
    return row;
  }

  /** The logs of these tasks, from memory or else from disk. Throws what cannot be read. */
  #logs(heads: readonly Head[]): TaskLog[] {
    this.flush();
    const unread = heads.filter(({ log }) => log === undefined);
    const read = new Map<number, TaskLog>(unread.map(({ id }) => [id, { steps: [], workedMs: 0 }]));
    let length = 0;
    const stored = unread.length === 0 ? [] : this.#entries.steps(unread.map(({ id }) => id));
    for (const { task, step, workedMs, length: characters } of stored) {
      const log = read.get(task);
      log?.steps.push(step);
      if (log) log.workedMs = workedMs;
      length += characters;
    }
    for (const head of unread) head.log = read.get(head.id);
    const logs = heads.flatMap(({ log }) => log ?? []);
    this.#kept.use(length);
    return logs;
  }
}

/** In the order of their numbers. */
function headsOf(marks: readonly Mark[]): Head[] {
  const heads = new Map<number, Head>();
  for (const { id, task, state, at, begins } of marks) {
    const head = heads.get(task);
    if (begins)
      heads.set(id, {
        id,
        ...begins,
        state,
        updatedAt: at,
        changes: [],
        row: undefined,
        log: undefined,
        isMessage: false,
      });
    if (!head) continue;
    head.state = state;
    head.updatedAt = at;
    head.changes.push(id);
  }
  return [...heads.values()].sort((a, b) => a.n - b.n);
}
