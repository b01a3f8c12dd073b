// The tables of accounts and their entries: finds, opens, writes, sums, and deletes old ones. Decides nothing.
import * as z from "zod";
import { Limits, type BudgetKind, BUDGETS } from "#shared/budget/limits.ts";
import type { Reserve, TaskLife, ToolCalls } from "#shared/control-plane/budgets.ts";

/**
 * An account is found by its query; its entries lie together, since each call adds them up. An entry's amounts are what
 * counts now: set aside while open or cut, really used once settled, 0 once released.
 */
export const MIGRATIONS = [
  `CREATE TABLE accounts (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     query TEXT NOT NULL UNIQUE,
     limits TEXT NOT NULL,
     opened_at INTEGER NOT NULL,
     changed_at INTEGER NOT NULL,
     exhausted TEXT,
     needed REAL NOT NULL DEFAULT 0
   );
   CREATE INDEX accounts_by_change ON accounts (changed_at);
   CREATE TABLE entries (
     account INTEGER NOT NULL,
     kind TEXT NOT NULL,
     id TEXT NOT NULL,
     agent TEXT NOT NULL,
     task TEXT NOT NULL,
     life INTEGER NOT NULL,
     state TEXT NOT NULL,
     at INTEGER NOT NULL,
     max_tokens INTEGER NOT NULL,
     turns INTEGER NOT NULL,
     tokens INTEGER NOT NULL,
     pico INTEGER NOT NULL,
     tool_calls INTEGER NOT NULL,
     PRIMARY KEY (account, kind, id)
   ) WITHOUT ROWID`,
] as const;

/** How long an account is kept after its last change: longer than an approval may wait. */
const KEPT_MS = 60 * 86_400_000;
/** Old accounts deleted whenever one is opened: more than are opened, few enough for one write. */
const PRUNED_AT_ONCE = 5;

const ExhaustedKind = z.nullable(z.enum(BUDGETS));

export interface AccountRow {
  readonly number: number;
  readonly query: string;
  readonly limits: Limits;
  readonly openedAt: number;
  readonly exhausted: BudgetKind | null;
  /** What the refused call needed, in the unit of the exhausted budget. For time: what was spent. */
  readonly needed: number;
}

/** Sums of amounts. A type, not an interface: rows are read as records. */
export type Sums = {
  readonly turns: number;
  readonly tokens: number;
  readonly pico: number;
  readonly toolCalls: number;
};

export type Share = Sums & { readonly agent: string; readonly state: string };

type AccountColumns = {
  number: number;
  query: string;
  limits: string;
  opened_at: number;
  exhausted: string | null;
  needed: number;
};

export class AccountRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(query: string): AccountRow | undefined {
    const [row] = this.#sql.exec<AccountColumns>("SELECT * FROM accounts WHERE query = ?", query).toArray();
    return (
      row && {
        number: row.number,
        query: row.query,
        limits: Limits.parse(JSON.parse(row.limits)),
        openedAt: row.opened_at,
        exhausted: ExhaustedKind.parse(row.exhausted),
        needed: row.needed,
      }
    );
  }

  /** The query's account. Opens it with these limits when there is none. */
  open(query: string, limits: Limits, now: number): AccountRow {
    const found = this.find(query);
    if (found) return found;
    this.#prune(now - KEPT_MS);
    const insert = "INSERT INTO accounts (query, limits, opened_at, changed_at) VALUES (?, ?, ?, ?) RETURNING number";
    const { number } = this.#sql.exec<{ number: number }>(insert, query, JSON.stringify(limits), now, now).one();
    return { number, query, limits, openedAt: now, exhausted: null, needed: 0 };
  }

  touch({ number }: AccountRow, now: number): void {
    this.#sql.exec("UPDATE accounts SET changed_at = ? WHERE number = ?", now, number);
  }

  exhaust({ number }: AccountRow, kind: BudgetKind, needed: number): void {
    this.#sql.exec("UPDATE accounts SET exhausted = ?, needed = ? WHERE number = ?", kind, needed, number);
  }

  /** The state of a reserved call, and the most tokens of its answer; undefined for an unknown call. */
  call({ number }: AccountRow, id: string): { state: string; maxTokens: number } | undefined {
    const select = `SELECT state, max_tokens AS maxTokens FROM entries WHERE account = ? AND kind = 'call' AND id = ?`;
    return this.#sql.exec<{ state: string; maxTokens: number }>(select, number, id).toArray()[0];
  }

  hasToolCalls({ number }: AccountRow, id: string): boolean {
    const select = "SELECT 1 FROM entries WHERE account = ? AND kind = 'tools' AND id = ?";
    return this.#sql.exec(select, number, id).toArray().length > 0;
  }

  addCall({ number }: AccountRow, call: Reserve, maxTokens: number, pico: number, now: number): void {
    const { id, agent, task, life, inputTokens } = call;
    this.#add(number, ["call", id, agent, task, life, "open", now, maxTokens, 1, inputTokens + maxTokens, pico, 0]);
  }

  /** Records that a call was released before it was granted, so that it never is. */
  addReleased({ number }: AccountRow, id: string, now: number): void {
    this.#add(number, ["call", id, "", "", 0, "released", now, 0, 0, 0, 0, 0]);
  }

  addToolCalls({ number }: AccountRow, { id, agent, task, count }: ToolCalls, now: number): void {
    this.#add(number, ["tools", id, agent, task, 0, "settled", now, 0, 0, 0, 0, count]);
  }

  settle({ number }: AccountRow, id: string, tokens: number, pico: number): void {
    const set = "state = 'settled', turns = 1, tokens = ?, pico = ?";
    this.#sql.exec(
      `UPDATE entries SET ${set} WHERE account = ? AND kind = 'call' AND id = ?`,
      tokens,
      pico,
      number,
      id,
    );
  }

  cut({ number }: AccountRow, id: string): void {
    const where = "account = ? AND kind = 'call' AND id = ? AND state = 'open'";
    this.#sql.exec(`UPDATE entries SET state = 'cut' WHERE ${where}`, number, id);
  }

  /** Leaves a settled call as it is. */
  release({ number }: AccountRow, id: string): void {
    const set = "state = 'released', turns = 0, tokens = 0, pico = 0";
    const where = "account = ? AND kind = 'call' AND id = ? AND state IN ('open', 'cut')";
    this.#sql.exec(`UPDATE entries SET ${set} WHERE ${where}`, number, id);
  }

  /** Cuts the open calls of the task's earlier lives. */
  cutEarlierLives({ number }: AccountRow, { agent, task, life }: TaskLife): void {
    const where = "account = ? AND kind = 'call' AND state = 'open' AND agent = ? AND task = ? AND life < ?";
    this.#sql.exec(`UPDATE entries SET state = 'cut' WHERE ${where}`, number, agent, task, life);
  }

  /** Cuts the calls that are open since before `time` (ms since the epoch). */
  cutOlder({ number }: AccountRow, time: number): void {
    const where = "account = ? AND kind = 'call' AND state = 'open' AND at < ?";
    this.#sql.exec(`UPDATE entries SET state = 'cut' WHERE ${where}`, number, time);
  }

  /** Sums by agent and state, without released calls. Exact below 2^53. */
  shares({ number }: AccountRow): Share[] {
    const sums = ["turns", "tokens", "pico", "tool_calls"].map((column) => `total(${column}) AS ${alias(column)}`);
    const select = `SELECT agent, state, ${sums.join(", ")} FROM entries WHERE account = ? AND state <> 'released'`;
    return this.#sql.exec<Share>(`${select} GROUP BY agent, state`, number).toArray();
  }

  #add(account: number, values: readonly (string | number)[]): void {
    this.#sql.exec(`INSERT INTO entries VALUES (?${", ?".repeat(values.length)})`, account, ...values);
  }

  #prune(before: number): void {
    const select = "SELECT number FROM accounts WHERE changed_at < ? ORDER BY changed_at LIMIT ?";
    for (const { number } of this.#sql.exec<{ number: number }>(select, before, PRUNED_AT_ONCE).toArray()) {
      this.#sql.exec("DELETE FROM entries WHERE account = ?", number);
      this.#sql.exec("DELETE FROM accounts WHERE number = ?", number);
    }
  }
}

function alias(column: string): string {
  return column === "tool_calls" ? "toolCalls" : column;
}

export function sumOf(shares: readonly Sums[]): Sums {
  return shares.reduce(
    (sum, share) => ({
      turns: sum.turns + share.turns,
      tokens: sum.tokens + share.tokens,
      pico: sum.pico + share.pico,
      toolCalls: sum.toolCalls + share.toolCalls,
    }),
    { turns: 0, tokens: 0, pico: 0, toolCalls: 0 },
  );
}
