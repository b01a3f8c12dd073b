// The account of one query, as the loop uses it.
import type { Usage } from "./usage.ts";
import type { Exhaustion } from "./exhaustion.ts";

/** The account could not be reached, so no model call may be made. */
export class BudgetUnreachable extends Error {
  override readonly name = "BudgetUnreachable";
}

/** The account of one query, kept in one place for all agents that work on it. */
export interface Account {
  /**
   * Sets aside what one model call may cost. `inputTokens` is the estimate of its request, `webSearches` what the API may search
   * by itself; the answer may have up to
   * `Reservation.maxTokens`, which can be less than `maxTokens` where little is left. Waits while calls of others are under way
   * that may leave enough. Throws BudgetSpent, BudgetUnreachable, PriceUnknown or the signal's reason.
   */
  reserve(
    call: { readonly inputTokens: number; readonly maxTokens: number; readonly webSearches?: number },
    signal: AbortSignal,
  ): Promise<Reservation>;
  /** Books what a reserved call has really cost, whatever was booked before; may be repeated. Throws BudgetUnreachable. */
  settle(reservation: string, used: Usage): Promise<void>;
  /** The call broke off, and nobody knows what it cost: all that was set aside counts. May be repeated. Throws BudgetUnreachable. */
  cut(reservation: string): Promise<void>;
  /** Calls that earlier lives of the task left open have broken off, as in `cut`. May be repeated. Throws BudgetUnreachable. */
  cutEarlierLives(): Promise<void>;
  /** The call was turned away before it began, and cost nothing. May be repeated. Throws BudgetUnreachable. */
  release(reservation: string): Promise<void>;
  /**
   * Books tool calls that are about to run, all of them or none. Under the same `id`, which is the task's own, they are booked
   * only once, also after a restart. Throws BudgetSpent, BudgetUnreachable or the signal's reason.
   */
  countToolCalls(id: string, count: number, signal: AbortSignal): Promise<void>;
  /**
   * The time of the whole query is over, of which `spentMs` were used: no agent gets another model call. Resolves to the report on
   * what ended the query. May be repeated. Throws BudgetUnreachable or the signal's reason.
   */
  timeIsUp(spentMs: number, signal: AbortSignal): Promise<Exhaustion>;
}

export interface Reservation {
  readonly id: string;
  /** Upper bound of the answer, in tokens. */
  readonly maxTokens: number;
}
