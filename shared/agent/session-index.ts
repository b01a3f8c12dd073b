// SessionIndex: the list of an agent's tasks over all sessions, for ListTasks without a contextId. Sessions report here off the
// hot path; what they hold is the truth, this only knows where to look.
import { DurableObject } from "cloudflare:workers";
import { ListTasksRequest } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import { migrate } from "../durable/migrations.ts";
import type { AgentEnv } from "./environment.ts";
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
const FLUSH_MS = 100;

export interface IndexedTask extends Listed {
  readonly principal: string;
}

export abstract class SessionIndexObject extends DurableObject<AgentEnv> {
  #pending: IndexedTask[] = [];
  #flush: Promise<void> | undefined;

  /** Resolves when the rows are on disk; reports of 100 ms share one transaction. */
  record(tasks: readonly IndexedTask[]): Promise<void> {
    this.#pending.push(...tasks);
    this.#flush ??= new Promise((resolve) => setTimeout(resolve, FLUSH_MS)).then(() => this.#write());
    return this.#flush;
  }

  /** One page of a principal's tasks, or why the request makes no sense. `request` is a ListTasksRequest as ProtoJSON. */
  async list(principal: string, request: unknown): Promise<{ page: Page<Listed> } | { malformed: string }> {
    await this.#flush;
    migrate(this.ctx.storage.sql, MIGRATIONS);
    const rows = this.ctx.storage.sql
      .exec<{ context_id: string; n: number; state: number; updated_at: number }>(
        "SELECT context_id, n, state, updated_at FROM task WHERE principal = ?",
        principal,
      )
      .toArray()
      .map((row) => ({ contextId: row.context_id, n: row.n, state: row.state, updatedAt: row.updated_at }));
    try {
      return { page: listPage(rows, ListTasksRequest.fromJSON(request)) };
    } catch (error) {
      if (error instanceof RequestMalformedError) return { malformed: error.message };
      throw error;
    }
  }

  #write(): void {
    const rows = this.#pending;
    this.#pending = [];
    this.#flush = undefined;
    migrate(this.ctx.storage.sql, MIGRATIONS);
    for (const { principal, contextId, n, state, updatedAt } of rows) {
      this.ctx.storage.sql.exec(
        "INSERT OR REPLACE INTO task (principal, context_id, n, state, updated_at) VALUES (?, ?, ?, ?, ?)",
        principal, contextId, n, state, updatedAt,
      );
    }
  }
}
