// The limits of a budget, as the job file sets them, and the errors of an exhausted one.
import * as z from "zod";
import { MAX_USD } from "./price.ts";

/** Upper bounds. An absent one means no limit. */
export const Limits = z.object({
  /** Model calls. */
  maxTurns: z.optional(z.int().positive()),
  /** Input, output and cache tokens together. */
  maxTokens: z.optional(z.int().positive()),
  /** US dollars. */
  maxUsd: z.optional(z.number().positive().max(MAX_USD)),
  /** Milliseconds of work, without waiting for approvals. */
  maxWallMs: z.optional(z.int().positive()),
  maxToolCalls: z.optional(z.int().nonnegative()),
});
export type Limits = Readonly<z.infer<typeof Limits>>;

export const BUDGETS = ["turns", "tokens", "usd", "wall_time", "tool_calls"] as const;
export type BudgetKind = (typeof BUDGETS)[number];

/** Subtype of a turn's result when a budget is exhausted, as the Claude Agent SDK names those that it has. */
export const SUBTYPE = {
  turns: "error_max_turns",
  tokens: "error_max_tokens",
  usd: "error_max_budget_usd",
  wall_time: "error_max_wall_time",
  tool_calls: "error_max_tool_calls",
} as const satisfies Record<BudgetKind, string>;

/** Amounts spent of a budget. */
export interface Spent {
  readonly turns: number;
  readonly tokens: number;
  readonly usd: number;
  readonly wallMs: number;
  readonly toolCalls: number;
}

/** A budget is exhausted. The message says which, how much was spent and by whom. */
export class BudgetSpent extends Error {
  override readonly name = "BudgetSpent";
  readonly kind: BudgetKind;

  constructor(kind: BudgetKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Dollars are limited, but the model's price is unknown. A price is never guessed. */
export class PriceUnknown extends Error {
  override readonly name = "PriceUnknown";

  constructor(agent: string) {
    super(
      `The budget is in US dollars, but the price of the model of ${agent} is not known, so no model call is made: give model.price in the job file and deploy again.`,
    );
  }
}
