// The account of one query, as the loop uses the budget.
import type { Usage } from "./usage.ts";
import type { Exhaustion } from "./exhaustion.ts";

/** The account could not be reached, so no model call may be made. */
export class BudgetUnreachable extends Error {
  override readonly name = "BudgetUnreachable";
}

/** One query's account, shared by all agents that work on the query. */
export interface Account {
  /**
   * Sets aside the most that one model call may cost. `inputTokens` estimates the request, `webSearches` counts the
   * API's own searches. The reservation may allow a shorter answer than `maxTokens`. Waits while open calls of others
   * may leave enough. Throws BudgetSpent, BudgetUnreachable, PriceUnknown or the signal's reason.
   */
  reserve(
    call: { readonly inputTokens: number; readonly maxTokens: number; readonly webSearches?: number },
    signal: AbortSignal,
  ): Promise<Reservation>;
  /** Books what a reserved call really cost, in place of what was booked. May be repeated. Throws BudgetUnreachable. */
  settle(reservation: string, used: Usage): Promise<void>;
  /**
   * The call broke off at an unknown cost: all that was set aside counts. May be repeated. Throws BudgetUnreachable.
   */
  cut(reservation: string): Promise<void>;
  /** Cuts the calls that earlier lives of the task left open. May be repeated. Throws BudgetUnreachable. */
  cutEarlierLives(): Promise<void>;
  /** The call was refused before it began: nothing counts. May be repeated. Throws BudgetUnreachable. */
  release(reservation: string): Promise<void>;
  /**
   * Books tool calls before they run, all or none. Books the same `id` of a task only once, also after a restart.
   * Throws BudgetSpent, BudgetUnreachable or the signal's reason.
   */
  countToolCalls(id: string, count: number, signal: AbortSignal): Promise<void>;
  /**
   * The whole query's time is over after `spentMs`: no agent gets another model call. Resolves to the report on what
   * ended the query. May be repeated. Throws BudgetUnreachable or the signal's reason.
   */
  timeIsUp(spentMs: number, signal: AbortSignal): Promise<Exhaustion>;
}

export interface Reservation {
  readonly id: string;
  /** Upper bound of the answer, in tokens. */
  readonly maxTokens: number;
}
