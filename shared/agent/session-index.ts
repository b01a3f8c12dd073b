// SessionIndex: the list of an agent's tasks over all sessions, for ListTasks without a contextId. Sessions report here off the
// hot path; what they hold is the truth, this only knows where to look.
import { DurableObject } from "cloudflare:workers";
import { ListTasksRequest, taskStateFromJSON } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { migrate } from "../durable/migrations.ts";
import { sessionIndexStub, type AgentEnv } from "./environment.ts";
import { listPage, type Listed, type Page } from "./session/list-page.ts";

const MIGRATIONS = [
  `CREATE TABLE task (
     principal TEXT NOT NULL,
     context_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     state INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     PRIMARY KEY (principal, context_id, n)
   ) WITHOUT ROWID`,
];
const REPORT_MS = 100;

export interface IndexedTask extends Listed {
  readonly principal: string;
}

export abstract class SessionIndexObject extends DurableObject<AgentEnv> {
  /** Writes what the Sessions of one isolate have reported, in one transaction. */
  async record(tasks: readonly IndexedTask[]): Promise<void> {
    migrate(this.ctx.storage.sql, MIGRATIONS);
    for (const { principal, contextId, n, state, updatedAt } of tasks) {
      this.ctx.storage.sql.exec(
        "INSERT OR REPLACE INTO task (principal, context_id, n, state, updated_at) VALUES (?, ?, ?, ?, ?)",
        principal,
        contextId,
        n,
        state,
        updatedAt,
      );
    }
  }

  /** One page of a principal's tasks, or why the request makes no sense. `request` is a ListTasksRequest as ProtoJSON. */
  async list(principal: string, request: unknown): Promise<{ page: Page<Listed> } | { malformed: string }> {
    migrate(this.ctx.storage.sql, MIGRATIONS);
    const rows = this.ctx.storage.sql
      .exec<{ context_id: string; n: number; state: number; updated_at: number }>(
        "SELECT context_id, n, state, updated_at FROM task WHERE principal = ?",
        principal,
      )
      .toArray()
      .map((row) => ({
        contextId: row.context_id,
        n: row.n,
        state: taskStateFromJSON(row.state),
        updatedAt: row.updated_at,
      }));
    try {
      return { page: listPage(rows, ListTasksRequest.fromJSON(request)) };
    } catch (error) {
      if (error instanceof RequestMalformedError) return { malformed: error.message };
      throw error;
    }
  }
}

const reports = new Map<string, IndexedTask>();
/** When what waits will have been sent; after that its messenger is gone, with its object, and the next report sends another. */
let dueAt = 0;

/**
 * Reports a task's latest state to the index. Reports of 100 ms, of all Sessions of the isolate, travel together: a report of
 * its own for each change would cost a turn more than its own log. Those of a process that is killed before are lost.
 */
export function reportTask(env: AgentEnv, task: IndexedTask, waitUntil: (work: Promise<unknown>) => void): void {
  const now = Date.now();
  const first = reports.size === 0 || now > dueAt;
  reports.set(keyOf(task), task);
  if (!first) return;
  dueAt = now + 2 * REPORT_MS;
  waitUntil(new Promise((resolve) => setTimeout(resolve, REPORT_MS)).then(() => flushReports(env)));
}

/** Sends what waits, so that who lists right after a task ended finds it. */
export async function flushReports(env: AgentEnv): Promise<void> {
  if (reports.size === 0) return;
  const tasks = [...reports.values()];
  reports.clear();
  try {
    await sessionIndexStub(env).record(tasks);
  } catch (error) {
    // The next report takes them along, but for those that have changed since.
    for (const task of tasks) if (!reports.has(keyOf(task))) reports.set(keyOf(task), task);
    throw error;
  }
}

function keyOf({ principal, contextId, n }: IndexedTask): string {
  return JSON.stringify([principal, contextId, n]);
}
