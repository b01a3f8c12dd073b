// The log of a Session: entries that begin a task, change it, or are a step of it. The object is its only writer.
import { TaskState, taskStateFromJSON } from "@a2a-js/sdk";
import * as z from "zod";
import type { TaskRef } from "../../../a2a/task-id.ts";
import { Usage } from "../../../budget/usage.ts";
import { migrate, readVersion } from "../../../durable/migrations.ts";
import { Step } from "../../../loop/log/step.ts";
import { Asker } from "../../caller.ts";
import type { SessionEntry } from "../../rpc.ts";
import { FRESH, MIGRATIONS } from "./schema.ts";
import { FIRST_LIFE, Life, TaskResult, type TaskRow } from "./task-row.ts";
import { TaskTrace } from "./task-trace.ts";

/** What begins a task. */
export interface Beginning {
  readonly contextId: string;
  readonly n: number;
  readonly state: TaskState;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly trace: TaskTrace;
  readonly messageId: string;
  readonly asker: Asker;
  /** The message to answer. */
  readonly first: Step;
}

/** What changes a task. What is left out stays as it is. */
export type Change = Partial<Pick<TaskRow, "life" | "trace" | "wakeAt" | "answer" | "problem" | "usage" | "result">>;

/** Bytes of an entry: SQLite reads longer ones page by page. */
const SHORT = 65_536;

const Begun = z.object({
  /** Absent where the trace has it. */
  traceId: z.optional(z.string()),
  trace: z.nullable(TaskTrace),
  asker: z.nullable(Asker),
});
const First = z.object({ first: z.nullable(z.unknown()) });
const Changed = z
  .object({
    life: Life,
    trace: TaskTrace,
    wakeAt: z.nullable(z.number()),
    answer: z.nullable(z.string()),
    problem: z.nullable(z.string()),
    usage: z.nullable(Usage),
    result: z.nullable(TaskResult),
  })
  .partial();

/** An entry that begins or changes a task, without its body. */
export interface Mark {
  readonly id: number;
  /** The id of the entry that begins the task. */
  readonly task: number;
  readonly state: TaskState;
  readonly at: number;
  /** Null in a change. */
  readonly begins: { readonly contextId: string; readonly n: number; readonly messageId: string | null } | null;
}

/** A thread at another agent, by its number. */
export interface OpenedThread {
  readonly agent: string;
  readonly thread: number;
  readonly contextId: string;
}

export interface StoredStep {
  readonly task: number;
  readonly step: Step;
  /** Milliseconds of work on the task until then. */
  readonly workedMs: number;
  /** Characters of its entry. */
  readonly length: number;
}

/**
 * Entries that are written without an `await` between them commit together. Nothing leaves the object before that commit, so nobody has
 * to wait for it: not a model call, not a tool's request, not an answer.
 */
export class Entries {
  readonly #sql: SqlStorage;
  /** Cached: the table exists, and is up to date. */
  #exists = false;
  #isMigrated = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whether anything was ever written. Reading a new object must not create its table. */
  get exists(): boolean {
    this.#exists ||= readVersion(this.#sql) > 0;
    return this.#exists;
  }

  /** Returns the characters of the entry. */
  begin(id: number, { contextId, n, state, at, messageId, trace, asker, first }: Beginning): number {
    this.#migrate();
    const body = JSON.stringify({ trace, asker, first });
    this.#sql.exec(
      "INSERT INTO entry (id, task, state, at, context_id, n, message_id, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      id,
      state,
      at,
      contextId,
      n,
      messageId,
      body,
    );
    return body.length;
  }

  change(id: number, task: number, state: TaskState, at: number, change: Change): void {
    const body = JSON.stringify(change);
    this.#sql.exec("INSERT INTO entry (id, task, state, at, body) VALUES (?, ?, ?, ?, ?)", id, task, state, at, body);
  }

  /** Returns the characters of the entry. */
  step(id: number, task: number, step: Step, workedMs: number): number {
    const body = JSON.stringify(step);
    this.#sql.exec(
      "INSERT INTO entry (id, task, worked_ms, body) VALUES (?, ?, ?, ?)",
      id,
      task,
      Math.round(workedMs),
      body,
    );
    return body.length;
  }

  /** The last id; 0 where nothing was written. */
  lastId(): number {
    if (!this.#ready) return 0;
    return this.#sql.exec<{ id: number }>("SELECT IFNULL(MAX(id), 0) AS id FROM entry").one().id;
  }

  /** All entries that begin or change a task, in order. */
  marks(): Mark[] {
    if (!this.#ready) return [];
    return this.#sql
      .exec<MarkColumns>(
        "SELECT id, task, state, at, context_id, n, message_id FROM entry WHERE state IS NOT NULL ORDER BY id",
      )
      .toArray()
      .map(toMark);
  }

  /** One task. `changes`: ids of the entries that changed it, in order. Throws what cannot be read. */
  row({ contextId, n, messageId }: NonNullable<Mark["begins"]>, id: number, changes: readonly number[]): TaskRow {
    const begin = this.#marked(id);
    const { trace, traceId, asker } = Begun.parse(JSON.parse(begin.body));
    const row: TaskRow = {
      contextId,
      n,
      state: taskStateFromJSON(begin.state),
      createdAt: begin.at,
      updatedAt: begin.at,
      traceId: traceId ?? trace?.traceId ?? "",
      trace,
      messageId,
      asker,
      life: FIRST_LIFE,
      wakeAt: null,
      answer: null,
      problem: null,
      usage: null,
      result: null,
    };
    return changes.reduce((before, change) => {
      const { state, at, body } = this.#marked(change);
      return { ...before, ...changed(body), state: taskStateFromJSON(state), updatedAt: at };
    }, row);
  }

  /** The tasks that were answered by a bare message, by the ids of the entries that begin them. */
  answeredByMessage(): Set<number> {
    if (!this.#ready) return new Set();
    const rows = this.#sql.exec<{ task: number }>(
      "SELECT task FROM entry WHERE state = ? AND id != task AND body ->> '$.result.is_message' = 1",
      TaskState.TASK_STATE_COMPLETED,
    );
    return new Set(rows.toArray().map(({ task }) => task));
  }

  /** The message that a task answers. It can be read where a later step cannot. */
  first(task: number): Step | undefined {
    const { first } = First.parse(JSON.parse(this.#marked(task).body));
    return first === null ? undefined : Step.parse(first);
  }

  /** The steps of one kind of a task. Reads no other. */
  ofKind<Kind extends "said" | "artifact">(task: number, kind: Kind): Extract<Step, { kind: Kind }>[] {
    const rows = this.#sql.exec<{ body: string }>(
      "SELECT body FROM entry WHERE id > ? AND task = ? AND state IS NULL AND body LIKE ? ORDER BY id",
      task,
      task,
      `{"kind":"${kind}",%`,
    );
    const isOfKind = (step: Step): step is Extract<Step, { kind: Kind }> => step.kind === kind;
    return rows
      .toArray()
      .map(({ body }) => Step.parse(JSON.parse(body)))
      .filter(isOfKind);
  }

  /** The steps of these tasks, in order. `tasks`: ids of the entries that begin them. Throws what cannot be read. */
  steps(tasks: readonly number[]): readonly StoredStep[] {
    const rows = this.#sql.exec<{ id: number; task: number; worked_ms: number | null; body: string }>(
      `SELECT id, task, worked_ms, body FROM entry
       WHERE id >= ? AND task IN (SELECT value FROM json_each(?)) AND (state IS NULL OR id = task) ORDER BY id`,
      Math.min(...tasks),
      JSON.stringify(tasks),
    );
    return rows.toArray().flatMap(({ id, task, worked_ms: workedMs, body }) => {
      const json: unknown = JSON.parse(body);
      const step = id === task ? First.parse(json).first : json;
      return step === null ? [] : { task, step: Step.parse(step), workedMs: workedMs ?? 0, length: body.length };
    });
  }

  /** The threads that tasks of a thread have opened at other agents. Each has a short step, so long ones are not read. */
  peerThreads(contextId: string): OpenedThread[] {
    return this.#sql
      .exec<{ agent: string; thread: number; contextId: string }>(
        `SELECT DISTINCT body ->> 'agent' AS agent, body ->> 'thread' AS thread, body ->> 'contextId' AS contextId
         FROM entry WHERE state IS NULL AND octet_length(body) < ${SHORT}
         AND (body GLOB '{"kind":"peer_call",*' OR body GLOB '{"kind":"peer_task",*')
         AND task IN (SELECT id FROM entry WHERE context_id = ?) ORDER BY id`,
        contextId,
      )
      .toArray();
  }

  /** What the session has found. */
  found(): Step[] {
    if (!this.#ready) return [];
    return this.#sql
      .exec<{ body: string }>(
        `SELECT DISTINCT body FROM entry WHERE state IS NULL AND octet_length(body) < ${SHORT} AND body GLOB '{"kind":"found",*'`,
      )
      .toArray()
      .map(({ body }) => Step.parse(JSON.parse(body)));
  }

  /** All entries of these tasks, in order. */
  raw(tasks: readonly number[]): SessionEntry[] {
    return this.#sql
      .exec<{ [Name in keyof SessionEntry]: SessionEntry[Name] }>(
        `SELECT id, task, state, at, worked_ms, message_id, body FROM entry
         WHERE id >= ? AND task IN (SELECT value FROM json_each(?)) ORDER BY id`,
        Math.min(...tasks),
        JSON.stringify(tasks),
      )
      .toArray();
  }

  /** Writes an entry of another session. `begins`: where it begins a task here. */
  putRaw(
    { id, task, state, at, worked_ms: workedMs, message_id: messageId, body }: SessionEntry,
    begins: TaskRef | undefined,
  ): void {
    this.#migrate();
    this.#sql.exec(
      `INSERT INTO entry (id, task, state, at, worked_ms, context_id, n, message_id, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      task,
      state,
      at,
      workedMs,
      begins?.contextId ?? null,
      begins?.n ?? null,
      messageId,
      body,
    );
  }

  /** Whether a task has exactly this step. */
  has(task: number, step: Step): boolean {
    const found = this.#sql.exec(
      "SELECT 1 FROM entry WHERE id > ? AND task = ? AND body = ? LIMIT 1",
      task,
      task,
      JSON.stringify(step),
    );
    return found.toArray().length > 0;
  }

  /** Whether the table can be read. Brings that of an older version up to date, and creates none. */
  get #ready(): boolean {
    if (this.exists) this.#migrate();
    return this.#exists;
  }

  #migrate(): void {
    if (!this.#isMigrated) migrate(this.#sql, MIGRATIONS, { fresh: FRESH });
    this.#isMigrated = true;
    this.#exists = true;
  }

  #marked(id: number): { readonly state: number; readonly at: number; readonly body: string } {
    return this.#sql
      .exec<{ state: number; at: number; body: string }>("SELECT state, at, body FROM entry WHERE id = ?", id)
      .one();
  }
}

type MarkColumns = {
  id: number;
  task: number;
  state: number;
  at: number;
  context_id: string | null;
  n: number | null;
  message_id: string | null;
};

function toMark({ id, task, state, at, context_id: contextId, n, message_id: messageId }: MarkColumns): Mark {
  const begins = contextId === null || n === null ? null : { contextId, n, messageId };
  return { id, task, state: taskStateFromJSON(state), at, begins };
}

/** Only what the entry has: what it leaves out must not replace anything. */
function changed(body: string): Change {
  const parsed = Changed.parse(JSON.parse(body));
  return Object.fromEntries(Object.entries(parsed).filter(([, value]) => value !== undefined));
}
