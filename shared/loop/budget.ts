// What a turn may cost. Limits are the job's word; who keeps the account of a whole query is passed in.
import * as z from "zod";
import type { Usage } from "../tracing/usage.ts";
import type { Exhaustion } from "./exhaustion.ts";
import { MAX_USD } from "./pico-dollars.ts";

/** Upper bounds; what is left out has none. */
export const Limits = z.object({
  /** Model calls. */
  maxTurns: z.optional(z.int().positive()),
  /** Input and output tokens together, those of the cache included. */
  maxTokens: z.optional(z.int().positive()),
  /** US dollars. */
  maxUsd: z.optional(z.number().positive().max(MAX_USD)),
  /** Milliseconds of work; waiting for an approval is none. */
  maxWallMs: z.optional(z.int().positive()),
  maxToolCalls: z.optional(z.int().nonnegative()),
});
export type Limits = Readonly<z.infer<typeof Limits>>;

export const BUDGETS = ["turns", "tokens", "usd", "wall_time", "tool_calls"] as const;
export type BudgetKind = (typeof BUDGETS)[number];

/** How a turn ends whose budget is spent; named as in the Claude Agent SDK, where it has the name. */
export const SUBTYPE = {
  turns: "error_max_turns",
  tokens: "error_max_tokens",
  usd: "error_max_budget_usd",
  wall_time: "error_max_wall_time",
  tool_calls: "error_max_tool_calls",
} as const satisfies Record<BudgetKind, string>;

/** What was used of a budget. */
export interface Spent {
  readonly turns: number;
  readonly tokens: number;
  readonly usd: number;
  readonly wallMs: number;
  readonly toolCalls: number;
}

/** A budget is spent; the message says which, how much was spent and by whom. */
export class BudgetSpent extends Error {
  override readonly name = "BudgetSpent";
  readonly kind: BudgetKind;

  constructor(kind: BudgetKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The account could not be reached, so no model call may be made. */
export class BudgetUnreachable extends Error {
  override readonly name = "BudgetUnreachable";
}

/** Dollars are limited, but what the model costs is not known, and is not guessed. */
export class PriceUnknown extends Error {
  override readonly name = "PriceUnknown";

  constructor(agent: string) {
    super(
      `The budget is in US dollars, but the price of the model of ${agent} is not known, so no model call is made: give model.price in the job file and deploy again.`,
    );
  }
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
