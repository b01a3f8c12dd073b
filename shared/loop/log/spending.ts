// What one agent has spent on a task, by the task's log, and whether the agent's own budget allows more.
import { type Price, picoOf, toPico, toUsd } from "../../budget/price.ts";
import { tokensOf } from "../../budget/usage.ts";
import { type BudgetKind, BudgetSpent, type Limits, PriceUnknown, type Spent } from "../../budget/limits.ts";
import { spentMessage } from "../../budget/exhaustion.ts";
import { shortfallOf, leastAnswer, headroomFor, upperCost } from "../../budget/headroom.ts";
import { isModelCall, type Step } from "./step.ts";

/**
 * What the steps of one task have cost: its model calls, with compactions and calls that broke off, and the tool calls that the
 * model asked for. Dollars are 0 without a price. `wallMs` comes from the caller, who holds the clock.
 */
export function spentIn(steps: readonly Step[], price: Price | undefined, wallMs = 0): Spent {
  let [turns, tokens, pico, toolCalls] = [0, 0, 0, 0];
  for (const step of steps) {
    if (step.kind === "model_cut") {
      turns++;
      tokens += step.inputTokens + step.maxTokens;
      pico += upperCost({ ...step, price }, step.maxTokens);
    }
    if (!isModelCall(step)) continue;
    turns++;
    tokens += tokensOf(step.usage);
    if (price) pico += picoOf(step.usage, price);
    if (step.kind === "assistant") toolCalls += step.content.filter((block) => block.type === "tool_use").length;
  }
  return { turns, tokens, usd: toUsd(pico), wallMs, toolCalls };
}

/** Why no further model call may be made; undefined when one may. allowedAnswer says how long its answer may be. */
export function checkLimits(limits: Limits, spent: Spent): BudgetSpent | undefined {
  const over = (
    [
      ["turns", spent.turns, limits.maxTurns],
      ["tokens", spent.tokens, limits.maxTokens],
      ["usd", toPico(spent.usd), limits.maxUsd === undefined ? undefined : toPico(limits.maxUsd)],
      ["wall_time", spent.wallMs, limits.maxWallMs],
    ] as const
  ).find(([, used, limit]) => limit !== undefined && used >= limit);
  return over ? exceeded(over[0], limits, spent) : checkToolCalls(limits, spent);
}

/** Why the tool calls that the model asked for last may not run; undefined when they may. */
export function checkToolCalls(limits: Limits, spent: Spent): BudgetSpent | undefined {
  return spent.toolCalls > (limits.maxToolCalls ?? Number.POSITIVE_INFINITY)
    ? exceeded("tool_calls", limits, spent)
    : undefined;
}

/**
 * How many tokens the next answer may have without overspending the budget, or why the call may not be made. Throws PriceUnknown,
 * which names `agent`.
 */
export function allowedAnswer(
  limits: Limits,
  spent: Spent,
  call: { readonly inputTokens: number; readonly maxTokens: number; readonly webSearches?: number },
  price: Price | undefined,
  agent: string,
): number | BudgetSpent {
  const over = checkLimits(limits, spent);
  if (over) return over;
  if (limits.maxUsd !== undefined && !price) throw new PriceUnknown(agent);
  const used = { turns: spent.turns, tokens: spent.tokens, pico: toPico(spent.usd) };
  const planned = { ...call, price };
  const shortfall = shortfallOf(limits, used, planned, leastAnswer(limits, planned));
  return shortfall
    ? exceeded(shortfall.kind, limits, spent, shortfall.needed)
    : Math.min(call.maxTokens, headroomFor(limits, used, planned));
}

function exceeded(kind: BudgetKind, limits: Limits, spent: Spent, needed = 0): BudgetSpent {
  const [limit = 0, used] = pairOf(kind, limits, spent);
  return new BudgetSpent(kind, spentMessage({ kind, limit, spent: used, needed }));
}

function pairOf(kind: BudgetKind, limits: Limits, spent: Spent): [limit: number | undefined, used: number] {
  switch (kind) {
    case "turns":
      return [limits.maxTurns, spent.turns];
    case "tokens":
      return [limits.maxTokens, spent.tokens];
    case "usd":
      return [limits.maxUsd, spent.usd];
    case "wall_time":
      return [limits.maxWallMs, spent.wallMs];
    case "tool_calls":
      return [limits.maxToolCalls, spent.toolCalls];
  }
}
