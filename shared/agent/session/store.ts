// The rows of a Session: tasks and steps, by thread. Writes of one synchronous stretch commit together, at the cost of one fsync.
import { taskStateFromJSON, type TaskState } from "@a2a-js/sdk";
import { migrate, readVersion } from "../../durable/migrations.ts";
import { Step } from "../../loop/step.ts";
import { Usage } from "../../tracing/usage.ts";
import type { TaskRef } from "../../a2a/task-id.ts";
import { TaskTrace } from "./task-span.ts";
import { MIGRATIONS } from "./schema.ts";

export interface TaskRow extends TaskRef {
  readonly state: TaskState;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly traceId: string;
  /** The ids of its spans; null for a task of an older version. */
  readonly trace: TaskTrace | null;
  readonly answer: string | null;
  /** Why the task failed, for the person who asked. */
  readonly problem: string | null;
  /** Of this agent and all whom it asked. */
  readonly usage: Usage | null;
}

export type TaskEnd = Pick<TaskRow, "state" | "answer" | "problem" | "usage">;

type TaskColumns = {
  context_id: string;
  n: number;
  state: number;
  created_at: number;
  updated_at: number;
  trace_id: string;
  trace: string | null;
  answer: string | null;
  problem: string | null;
  usage: string | null;
};

export class SessionStore {
  readonly #sql: SqlStorage;
  readonly #nextSeq = new Map<string, number>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whether anything was ever written; reading an object that is new must not create its tables. */
  get exists(): boolean {
    return readVersion(this.#sql) > 0;
  }

  /** Begins a task of the thread with the message to answer as its first step. */
  createTask(contextId: string, state: TaskState, trace: TaskTrace, first: Step): TaskRow {
    migrate(this.#sql, MIGRATIONS);
    const [last] = this.#sql
      .exec<{ n: number | null }>("SELECT MAX(n) AS n FROM task WHERE context_id = ?", contextId)
      .toArray();
    const now = Date.now();
    const row = {
      contextId,
      n: (last?.n ?? 0) + 1,
      state,
      createdAt: now,
      updatedAt: now,
      traceId: trace.traceId,
      trace,
      answer: null,
      problem: null,
      usage: null,
    };
    // First, because it can be refused for its size, and a task without it would be one that nobody works on.
    this.append(row, first);
    this.#sql.exec(
      "INSERT INTO task (context_id, n, state, created_at, updated_at, trace_id, trace) VALUES (?, ?, ?, ?, ?, ?, ?)",
      contextId,
      row.n,
      state,
      now,
      now,
      trace.traceId,
      JSON.stringify(trace),
    );
    return row;
  }

  setState(row: TaskRow, state: TaskState): TaskRow {
    const updatedAt = Date.now();
    this.#sql.exec(
      "UPDATE task SET state = ?, updated_at = ? WHERE context_id = ? AND n = ?",
      state,
      updatedAt,
      row.contextId,
      row.n,
    );
    return { ...row, state, updatedAt };
  }

  endTask(row: TaskRow, end: TaskEnd): TaskRow {
    const updatedAt = Date.now();
    this.#sql.exec(
      "UPDATE task SET state = ?, updated_at = ?, answer = ?, problem = ?, usage = ? WHERE context_id = ? AND n = ?",
      end.state,
      updatedAt,
      end.answer,
      end.problem,
      end.usage && JSON.stringify(end.usage),
      row.contextId,
      row.n,
    );
    return { ...row, ...end, updatedAt };
  }

  append({ contextId, n }: TaskRef, step: Step): void {
    const seq = this.#nextSeq.get(contextId) ?? this.#countSteps(contextId);
    this.#sql.exec(
      "INSERT INTO step (context_id, seq, n, body) VALUES (?, ?, ?, ?)",
      contextId,
      seq,
      n,
      JSON.stringify(step),
    );
    this.#nextSeq.set(contextId, seq + 1);
  }

  task({ contextId, n }: TaskRef): TaskRow | undefined {
    if (!this.exists) return undefined;
    const [row] = this.#sql
      .exec<TaskColumns>("SELECT * FROM task WHERE context_id = ? AND n = ?", contextId, n)
      .toArray();
    return row && toRow(row);
  }

  /** The tasks of a thread, or of the whole session, in no particular order. */
  tasks(contextId?: string): TaskRow[] {
    if (!this.exists) return [];
    const cursor =
      contextId === undefined
        ? this.#sql.exec<TaskColumns>("SELECT * FROM task")
        : this.#sql.exec<TaskColumns>("SELECT * FROM task WHERE context_id = ?", contextId);
    return cursor.toArray().map(toRow);
  }

  /** Tasks in one of these states, of the whole session. */
  tasksIn(...states: readonly TaskState[]): TaskRow[] {
    if (!this.exists) return [];
    const query = `SELECT * FROM task WHERE state IN (${states.map(() => "?").join()})`;
    return this.#sql
      .exec<TaskColumns>(query, ...states)
      .toArray()
      .map(toRow);
  }

  /** The log of a thread up to and including a task's steps; those of tasks that wait behind it are left out. */
  steps({ contextId, n }: TaskRef): Step[] {
    return this.#read("SELECT body FROM step WHERE context_id = ? AND n <= ? ORDER BY n, seq", contextId, n);
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

  #read(query: string, ...bindings: (string | number)[]): Step[] {
    return this.#sql
      .exec<{ body: string }>(query, ...bindings)
      .toArray()
      .map(({ body }) => Step.parse(JSON.parse(body)));
  }

  #countSteps(contextId: string): number {
    return this.#sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM step WHERE context_id = ?", contextId).one().n;
  }
}

function toRow(row: TaskColumns): TaskRow {
  return {
    contextId: row.context_id,
    n: row.n,
    state: taskStateFromJSON(row.state),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    traceId: row.trace_id,
    // Rows that were read before the column was added have none.
    trace: row.trace ? TaskTrace.parse(JSON.parse(row.trace)) : null,
    answer: row.answer,
    problem: row.problem,
    usage: row.usage === null ? null : Usage.parse(JSON.parse(row.usage)),
  };
}
