// SessionIndex: the list of an agent's tasks over all sessions, for ListTasks without a contextId. Sessions report here off the
// hot path; what they hold is the truth, this only knows where to look.
import { DurableObject } from "cloudflare:workers";
import { ListTasksRequest, taskStateFromJSON } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { migrate } from "../durable/migrations.ts";
import { sessionIndexStub, type AgentEnv } from "./environment.ts";
import { IsolateBatch } from "../tracing/isolate-batch.ts";
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

interface Report {
  readonly env: AgentEnv;
  readonly task: IndexedTask;
}

/** Of all Sessions of the isolate, which are those of one agent. */
const reports = new IsolateBatch<Report>(REPORT_MS, async (waiting) => {
  const [first] = waiting;
  if (first) await sessionIndexStub(first.env).record(waiting.map(({ task }) => task));
});

/** Reports a task's latest state to the index. What a process has not sent when it is killed is lost. */
export function reportTask(env: AgentEnv, task: IndexedTask, waitUntil: (work: Promise<unknown>) => void): void {
  reports.add(keyOf(task), { env, task }, waitUntil);
}

/** Sends what waits, so that who lists right after a task ended finds it. */
export async function flushReports(): Promise<void> {
  await reports.flush();
}

function keyOf({ principal, contextId, n }: IndexedTask): string {
  return JSON.stringify([principal, contextId, n]);
}
