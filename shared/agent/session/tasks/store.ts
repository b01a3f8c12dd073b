// The rows of a Session: tasks and steps, by thread. Writes without an `await` between them commit together, at the cost of one fsync.
import { TaskState } from "@a2a-js/sdk";
import type { TaskRef } from "../../../a2a/task-id.ts";
import { migrate, readVersion } from "../../../durable/migrations.ts";
import { Step } from "../../../loop/log/step.ts";
import { FRESH, MIGRATIONS } from "./schema.ts";
import { FIRST_LIFE, toRow, type Life, type TaskColumns, type TaskEnd, type TaskRow } from "./task-row.ts";
import type { Asker } from "../../caller.ts";
import type { TaskTrace } from "./task-trace.ts";

/** The same text as in the index `open_task`, so that SQLite uses the index. */
const IS_OPEN = "state IN (1, 2, 6)";

export interface NewTask {
  readonly contextId: string;
  readonly state: TaskState;
  readonly trace: TaskTrace;
  readonly messageId: string;
  /** A function of the task's number, because a query that begins here is named after its task. */
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
}

export class SessionStore {
  readonly #sql: SqlStorage;
  readonly #nextSeq = new Map<string, number>();
  /** Cached: the tables exist, and are up to date. */
  #exists = false;
  #isMigrated = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whether anything was ever written. Reading a new object must not create its tables. */
  get exists(): boolean {
    this.#exists ||= readVersion(this.#sql) > 0;
    return this.#exists;
  }

  /** Migrates the tables of an older version. Creates none. */
  upgrade(): void {
    if (this.exists) this.#migrate();
  }

  #migrate(): void {
    if (!this.#isMigrated) migrate(this.#sql, MIGRATIONS, FRESH);
    this.#isMigrated = true;
  }

  /** Begins a task of the thread with the message to answer as its first step. */
  createTask({ contextId, state, trace, messageId, asker, first }: NewTask): TaskRow {
    this.#migrate();
    const [last] = this.#sql
      .exec<{ n: number | null }>("SELECT MAX(n) AS n FROM task WHERE context_id = ?", contextId)
      .toArray();
    const now = Date.now();
    const n = (last?.n ?? 0) + 1;
    const row: TaskRow = {
      contextId,
      n,
      state,
      createdAt: now,
      updatedAt: now,
      traceId: trace.traceId,
      trace,
      messageId,
      asker: asker({ contextId, n }),
      life: FIRST_LIFE,
      wakeAt: null,
      answer: null,
      problem: null,
      usage: null,
      result: null,
    };
    // First, because it can be refused for its size, and nobody would work on a task without it.
    this.append(row, first, 0);
    this.#sql.exec(
      `INSERT INTO task (context_id, n, state, created_at, updated_at, trace_id, trace, message_id, asker)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      contextId,
      n,
      state,
      now,
      now,
      trace.traceId,
      JSON.stringify(trace),
      messageId,
      JSON.stringify(row.asker),
    );
    return row;
  }

  /** Sets a state that is not the last. `wakeAt`: when the next approval expires. */
  setState(row: TaskRow, state: TaskState, wakeAt: number | null = null): TaskRow {
    const updatedAt = Date.now();
    this.#sql.exec(
      "UPDATE task SET state = ?, updated_at = ?, wake_at = ? WHERE context_id = ? AND n = ?",
      state,
      updatedAt,
      wakeAt,
      row.contextId,
      row.n,
    );
    return { ...row, state, updatedAt, wakeAt };
  }

  /** Begins another life of the task's turn. */
  setLife(row: TaskRow, life: Life, trace: TaskTrace): TaskRow {
    this.#sql.exec(
      "UPDATE task SET life = ?, trace = ? WHERE context_id = ? AND n = ?",
      JSON.stringify(life),
      JSON.stringify(trace),
      row.contextId,
      row.n,
    );
    return { ...row, life, trace };
  }

  endTask(row: TaskRow, end: TaskEnd): TaskRow {
    const updatedAt = Date.now();
    this.#sql.exec(
      `UPDATE task SET state = ?, updated_at = ?, wake_at = NULL, answer = ?, problem = ?, usage = ?, result = ?
       WHERE context_id = ? AND n = ?`,
      end.state,
      updatedAt,
      end.answer,
      end.problem,
      end.usage && JSON.stringify(end.usage),
      end.result && JSON.stringify(end.result),
      row.contextId,
      row.n,
    );
    return { ...row, ...end, updatedAt, wakeAt: null };
  }

  /** `workedMs`: milliseconds of work on the task so far. */
  append({ contextId, n }: TaskRef, step: Step, workedMs: number): void {
    const seq = this.#nextSeq.get(contextId) ?? this.#countSteps(contextId);
    this.#sql.exec(
      "INSERT INTO step (context_id, seq, n, body, worked_ms) VALUES (?, ?, ?, ?, ?)",
      contextId,
      seq,
      n,
      JSON.stringify(step),
      Math.round(workedMs),
    );
    this.#nextSeq.set(contextId, seq + 1);
  }

  task({ contextId, n }: TaskRef): TaskRow | undefined {
    return this.exists ? this.#tasks("context_id = ? AND n = ?", contextId, n)[0] : undefined;
  }

  /** The task that a message opened. A message opens one task, however often it comes. */
  taskOfMessage(contextId: string, messageId: string): TaskRow | undefined {
    if (!this.exists) return undefined;
    this.upgrade();
    return this.#tasks("context_id = ? AND message_id = ?", contextId, messageId)[0];
  }

  /** The tasks of a thread, or of the whole session, in no particular order. */
  tasks(contextId?: string): TaskRow[] {
    if (!this.exists) return [];
    return contextId === undefined ? this.#tasks("TRUE") : this.#tasks("context_id = ?", contextId);
  }

  /** The tasks that have not ended, oldest first within a thread. */
  openTasks(): TaskRow[] {
    if (!this.exists) return [];
    this.upgrade();
    return this.#tasks(`${IS_OPEN} ORDER BY context_id, n`);
  }

  /** The suspended task of a thread, if there is one. */
  waitingTask(contextId: string): TaskRow | undefined {
    if (!this.exists) return undefined;
    this.upgrade();
    const state = TaskState.TASK_STATE_INPUT_REQUIRED;
    return this.#tasks(`${IS_OPEN} AND state = ? AND context_id = ?`, state, contextId)[0];
  }

  /** The last task of each thread in which no task is open, and that has no session_end. */
  restingTasks(): TaskRow[] {
    if (!this.exists) return [];
    const isLast = "n = (SELECT MAX(n) FROM task AS other WHERE other.context_id = task.context_id)";
    const hasEnded =
      "EXISTS (SELECT 1 FROM step WHERE step.context_id = task.context_id AND step.n = task.n AND body = ?)";
    return this.#tasks(`NOT (${IS_OPEN}) AND ${isLast} AND NOT ${hasEnded}`, JSON.stringify({ kind: "session_end" }));
  }

  /** Whether a task of the same thread came after this one and has not ended. */
  hasLater({ contextId, n }: TaskRef): boolean {
    return this.#tasks(`${IS_OPEN} AND context_id = ? AND n > ?`, contextId, n).length > 0;
  }

  threadLog({ contextId, n }: TaskRef): ThreadLog {
    const rows = this.#sql
      .exec<{ body: string; n: number; worked_ms: number }>(
        "SELECT body, n, worked_ms FROM step WHERE context_id = ? AND n <= ? ORDER BY n, seq",
        contextId,
        n,
      )
      .toArray();
    const begin = rows.findIndex((row) => row.n === n);
    return { steps: rows.map(({ body }) => parse(body)), begin, workedMs: rows.at(-1)?.worked_ms ?? 0 };
  }

  /** The steps of one task. */
  ownSteps({ contextId, n }: TaskRef): Step[] {
    return this.#read("SELECT body FROM step WHERE context_id = ? AND n = ? ORDER BY seq", contextId, n);
  }

  /** The steps of all threads of the session. */
  allSteps(): Step[] {
    return this.exists ? this.#read("SELECT body FROM step") : [];
  }

  /** What a task was asked. */
  question({ contextId, n }: TaskRef): string {
    const [first] = this.#read(
      "SELECT body FROM step WHERE context_id = ? AND n = ? ORDER BY seq LIMIT 1",
      contextId,
      n,
    );
    return first?.kind === "user" ? first.text : "";
  }

  #tasks(where: string, ...bindings: (string | number)[]): TaskRow[] {
    return this.#sql
      .exec<TaskColumns>(`SELECT * FROM task WHERE ${where}`, ...bindings)
      .toArray()
      .map(toRow);
  }

  #read(query: string, ...bindings: (string | number)[]): Step[] {
    return this.#sql
      .exec<{ body: string }>(query, ...bindings)
      .toArray()
      .map(({ body }) => parse(body));
  }

  #countSteps(contextId: string): number {
    return this.#sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM step WHERE context_id = ?", contextId).one().n;
  }
}

function parse(body: string): Step {
  return Step.parse(JSON.parse(body));
}
