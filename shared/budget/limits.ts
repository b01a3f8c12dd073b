// What a turn may cost. Limits are the job's word; who keeps the account of a whole query is passed in.
import * as z from "zod";
import { MAX_USD } from "./price.ts";

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

/** Dollars are limited, but what the model costs is not known, and is not guessed. */
export class PriceUnknown extends Error {
  override readonly name = "PriceUnknown";

  constructor(agent: string) {
    super(
      `The budget is in US dollars, but the price of the model of ${agent} is not known, so no model call is made: give model.price in the job file and deploy again.`,
    );
  }
}
