// Accounts of one job's queries: what all agents of a query may spend together, and have spent. Owns the tables and the
// queue of waiting calls; admission.ts decides whether a call fits. Every method may be repeated.
import { DurableObject } from "cloudflare:workers";
import { Tables } from "#shared/durable/tables.ts";
import { picoOf } from "#shared/budget/price.ts";
import { upperCost } from "#shared/budget/headroom.ts";
import { tokensOf } from "#shared/budget/usage.ts";
import type { Env } from "../env.ts";
import { type AccountRow, AccountRows, MIGRATIONS } from "./account-rows.ts";
import { exhaustionOf, pageOf } from "./account-page.ts";
import type {
  QueryAccount,
  Reserve,
  Reserved,
  Settle,
  TaskLife,
  TimeUp,
  TimeUpAnswer,
  ToolCalls,
  ToolCallsAnswer,
} from "#shared/control-plane/budgets.ts";
import { admit } from "./admission.ts";
import { WaitingLine } from "./waiting-line.ts";
import type { Booked, BudgetRpc, ReserveResult } from "../rpc.ts";

/** A call that is open for longer counts as cut: its agent has died and does not come back. */
const CALL_MS = 600_000;

export class Budget extends DurableObject<Env> implements BudgetRpc {
  readonly #line = new WaitingLine();
  readonly #tables = new Tables(this.ctx.storage, MIGRATIONS, (sql) => new AccountRows(sql));

  /** Sets aside the most that the call may cost. Waits while open calls may leave enough once they settle. */
  async reserve(call: Reserve): Promise<ReserveResult> {
    const before = this.#tables.transaction((rows) => {
      const account = rows.open(call.query, call.limits, Date.now());
      const known = rows.call(account, call.id);
      if (!known) rows.cutEarlierLives(account, call);
      return known;
    });
    if (before?.state === "released") return { released: true };
    if (before) return { granted: { maxTokens: before.maxTokens } };
    const answer = this.#line.join(call, () => this.#serve(call.query));
    this.#serve(call.query);
    return answer;
  }

  /** Books what a call really used, in place of what was booked before, even when that is more than was set aside. */
  settle({ query, id, usage, price }: Settle): Booked {
    return this.#book(query, id, (rows, account) =>
      rows.settle(account, id, tokensOf(usage), price ? picoOf(usage, price) : 0),
    );
  }

  /** The call broke off: all that was set aside counts as spent. */
  cut({ query, id }: Reserved): Booked {
    return this.#book(query, id, (rows, account) => rows.cut(account, id));
  }

  /**
   * Cuts the open calls of a task's earlier lives, and dismisses their waiting calls. Does nothing without an account.
   */
  cutEarlierLives(current: TaskLife): void {
    const { query, agent, task, life } = current;
    this.#tables.transaction((rows) => {
      const account = rows.find(query);
      if (account) rows.cutEarlierLives(account, current);
    });
    this.#line.dismiss(query, (call) => call.agent === agent && call.task === task && call.life < life);
    this.#serve(query);
  }

  /** The call was never made: nothing counts. A call that is not granted yet never will be. */
  release({ query, id }: Reserved): Booked {
    const booked = this.#book(query, id, (rows, account) => rows.release(account, id));
    if (booked !== "unknown-call") return booked;
    this.#tables.transaction((rows) => {
      const account = rows.find(query);
      if (account) rows.addReleased(account, id, Date.now());
    });
    this.#line.answer(query, id, { released: true });
    this.#serve(query);
    return "booked";
  }

  /** Books all tool calls; or none, when the budget does not allow all, and the budget is exhausted. */
  countToolCalls(calls: ToolCalls): ToolCallsAnswer {
    const answer = this.#tables.transaction((rows): ToolCallsAnswer => {
      const account = rows.open(calls.query, calls.limits, Date.now());
      if (rows.hasToolCalls(account, calls.id)) return { ok: true };
      const { toolCalls } = pageOf(account, rows.shares(account), 0).spent;
      const isOver = toolCalls + calls.count > (account.limits.maxToolCalls ?? Number.POSITIVE_INFINITY);
      if (isOver && account.exhausted === null) rows.exhaust(account, "tool_calls", calls.count);
      if (isOver || account.exhausted !== null) return { exhausted: exhaustedNow(rows, account) };
      rows.addToolCalls(account, calls, Date.now());
      rows.touch(account, Date.now());
      return { ok: true };
    });
    if ("exhausted" in answer) this.#serve(calls.query);
    return answer;
  }

  /** The query's time is over. A budget that was exhausted before stays the reason. */
  timeIsUp({ query, limits, spentMs }: TimeUp): TimeUpAnswer {
    const exhausted = this.#tables.transaction((rows) => {
      const account = rows.open(query, limits, Date.now());
      if (account.exhausted === null) rows.exhaust(account, "wall_time", spentMs);
      return exhaustedNow(rows, account);
    });
    this.#serve(query);
    return { exhausted };
  }

  /** Undefined for an unknown query. */
  account(query: string): QueryAccount | undefined {
    const { rows } = this.#tables;
    const account = rows.find(query);
    return account && pageOf(account, rows.shares(account), this.#line.size(query));
  }

  #book(query: string, id: string, write: (rows: AccountRows, account: AccountRow) => void): Booked {
    const booked = this.#tables.transaction((rows) => {
      const account = rows.find(query);
      if (!account) return "unknown-query";
      if (!rows.call(account, id)) return "unknown-call";
      write(rows, account);
      rows.touch(account, Date.now());
      return "booked";
    });
    if (booked === "booked") this.#serve(query);
    return booked;
  }

  /** Answers waiting calls in order, up to the first one that must wait on. */
  #serve(query: string): void {
    for (;;) {
      const call = this.#line.first(query);
      if (!call) return;
      const answer = this.#tables.transaction((rows) => answerTo(rows, call, Date.now()));
      if ("wait" in answer) return;
      this.#line.answer(query, call.id, answer);
    }
  }
}

function answerTo(rows: AccountRows, call: Reserve, now: number): ReserveResult {
  const account = rows.open(call.query, call.limits, now);
  if (account.exhausted !== null) return { exhausted: exhaustedNow(rows, account) };
  rows.cutOlder(account, now - CALL_MS);
  const { inputTokens, maxTokens, price, webSearches } = call;
  const planned = { inputTokens, maxTokens, price, webSearches };
  const admission = admit(account.limits, rows.shares(account), planned);
  if ("wait" in admission) return admission;
  if ("shortfall" in admission) {
    rows.exhaust(account, admission.shortfall.kind, admission.shortfall.needed);
    return { exhausted: exhaustedNow(rows, account) };
  }
  rows.addCall(account, call, admission.grant, upperCost(planned, admission.grant), now);
  rows.touch(account, now);
  return { granted: { maxTokens: admission.grant } };
}

/** The report with current amounts: open calls settle after the budget is exhausted. */
function exhaustedNow(rows: AccountRows, { query }: AccountRow) {
  const account = rows.find(query);
  const exhaustion = account && exhaustionOf(account, rows.shares(account));
  if (!exhaustion) throw new Error("The account is not exhausted.");
  return exhaustion;
}
