// SessionIndex: the list of an agent's tasks over all sessions, for ListTasks without a contextId. Sessions report here off the hot path
// and hold the truth. The index also knows which sessions to wake when the agent's process starts.
import { DurableObject } from "cloudflare:workers";
import { ListTasksRequest, taskStateFromJSON } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { sessionOf, type TaskRef } from "../../a2a/task-id.ts";
import type { SessionsPage } from "../../control-plane/sessions.ts";
import { migrate, readVersion } from "../../durable/migrations.ts";
import { reasonOf } from "../../text/reason.ts";
import { sessionStub, type AgentEnv } from "../env.ts";
import { log } from "../log.ts";
import { wakeSession } from "../wake.ts";
import { listQuery, pageOf, type ListQuery } from "./list-page.ts";
import { Expiry } from "./expiry.ts";
import { forgetSession, sessionsPage } from "./sessions.ts";
import { sessionsInMemory } from "./session-files.ts";
import type { IndexedTask, Listed, Page, SessionIndexRpc } from "../rpc.ts";

const MIGRATIONS = [
  `CREATE TABLE task (
     principal TEXT NOT NULL,
     context_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     state INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     PRIMARY KEY (principal, context_id, n)
   ) WITHOUT ROWID`,
  // Lists are read in this order.
  "CREATE INDEX task_by_time ON task (principal, updated_at)",
];
/** Sessions that are woken side by side. */
const WOKEN_AT_ONCE = 8;

export abstract class SessionIndexObject extends DurableObject<AgentEnv> implements SessionIndexRpc {
  #isMigrated = false;
  readonly #expiry: Expiry;

  constructor(ctx: DurableObjectState, env: AgentEnv) {
    super(ctx, env);
    this.#expiry = new Expiry(ctx.storage, env);
  }

  /** Deletes the sessions that have expired. */
  override async alarm(): Promise<void> {
    this.#migrate();
    await this.#expiry.run();
  }

  /** Writes what the Sessions of one isolate have reported, in one transaction. A report that comes late undoes no end. */
  async record(tasks: readonly IndexedTask[]): Promise<void> {
    this.#migrate();
    await this.#expiry.begin();
    for (const { principal, contextId, n, state, updatedAt, isHidden } of tasks) {
      this.ctx.storage.sql.exec(
        `INSERT INTO task (principal, context_id, n, state, updated_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at
         WHERE state IN (1, 2, 6) OR excluded.state NOT IN (1, 2, 6)`,
        principal,
        contextId,
        n,
        // Lists of tasks leave out what is below zero; the session has it all the same.
        isHidden ? -state : state,
        updatedAt,
      );
    }
  }

  /**
   * Wakes the sessions that were in memory when the process before this one was killed: they may hold turns without an alarm. Then
   * those with open tasks: an orderly end leaves no other sign of them, and their alarms ring later. A row may be out of date: then the
   * session reports its task again.
   */
  async wakeSessions(): Promise<void> {
    await this.#expiry.begin();
    await forEach(await this.#leftInMemory(), (id) => wakeSession(this.env, id));
    await forEach([...this.#openTasks()], (open) => this.#wake(open));
  }

  #migrate(): void {
    if (!this.#isMigrated) migrate(this.ctx.storage.sql, MIGRATIONS);
    this.#isMigrated = true;
  }

  async #leftInMemory(): Promise<string[]> {
    const { SESSION_FILES: files } = this.env;
    try {
      return files ? await sessionsInMemory(files) : [];
    } catch (error) {
      log(this.env, "warn", `the sessions of the process before cannot be listed: ${reasonOf(error)}`);
      return [];
    }
  }

  async #wake({ principal, session, tasks }: OpenTasks): Promise<void> {
    try {
      await sessionStub(this.env, principal, session).wake(tasks);
    } catch (error) {
      // A session that cannot be woken must not keep the others waiting.
      log(this.env, "warn", `the session ${session} cannot be woken: ${reasonOf(error)}`);
    }
  }

  #openTasks(): Iterable<OpenTasks> {
    const { sql } = this.ctx.storage;
    if (readVersion(sql) === 0) return [];
    const bySession = new Map<string, OpenTasks>();
    const select = "SELECT principal, context_id, n FROM task WHERE state IN (1, 2, 6)";
    for (const row of sql.exec<{ principal: string; context_id: string; n: number }>(select)) {
      const { principal, context_id: contextId, n } = row;
      const session = sessionOf(contextId);
      const key = JSON.stringify([principal, session]);
      const open = bySession.get(key) ?? { principal, session, tasks: [] };
      bySession.set(key, open);
      open.tasks.push({ contextId, n });
    }
    return bySession.values();
  }

  /** One page of a principal's tasks, or why the request makes no sense. `request` is a ListTasksRequest as ProtoJSON. */
  async list(principal: string, request: unknown): Promise<{ page: Page<Listed> } | { malformed: string }> {
    this.#migrate();
    try {
      return { page: this.#page(principal, listQuery(ListTasksRequest.fromJSON(request))) };
    } catch (error) {
      if (error instanceof RequestMalformedError) return { malformed: error.message };
      throw error;
    }
  }

  async sessions(principal: string, pageToken: string): Promise<SessionsPage | undefined> {
    this.#migrate();
    return sessionsPage(this.ctx.storage.sql, principal, pageToken);
  }

  async forget(principal: string, session: string): Promise<number> {
    this.#migrate();
    return forgetSession(this.ctx.storage.sql, principal, session);
  }

  #page(principal: string, query: ListQuery): Page<Listed> {
    const { sql } = this.ctx.storage;
    const { state = null, after, position, pageSize } = query;
    const matching = "state > 0 AND principal = ? AND updated_at >= ? AND (? IS NULL OR state = ?)";
    const values = [principal, after, state, state];
    const { total } = sql
      .exec<{ total: number }>(`SELECT COUNT(*) AS total FROM task WHERE ${matching}`, ...values)
      .one();
    const [behind, ...cursor] = position
      ? ["AND (updated_at, context_id, n) < (?, ?, ?)", position.updatedAt, position.contextId, position.n]
      : [""];
    const rows = sql.exec<{ context_id: string; n: number; state: number; updated_at: number }>(
      `SELECT context_id, n, state, updated_at FROM task WHERE ${matching} ${behind}
       ORDER BY updated_at DESC, context_id DESC, n DESC LIMIT ?`,
      ...values,
      ...cursor,
      pageSize + 1,
    );
    const found = rows.toArray().map((row) => ({
      contextId: row.context_id,
      n: row.n,
      state: taskStateFromJSON(row.state),
      updatedAt: row.updated_at,
    }));
    return pageOf(found, total, query);
  }
}

/** Does `work` for each item, WOKEN_AT_ONCE side by side, in order. */
async function forEach<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const next = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: WOKEN_AT_ONCE }, next));
}

interface OpenTasks {
  readonly principal: string;
  readonly session: string;
  readonly tasks: TaskRef[];
}
