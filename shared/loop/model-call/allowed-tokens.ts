// How long the answer of a model call may be, by the agent's own budget.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import { allowedAnswer, spentIn } from "../log/spending.ts";
import type { Turn } from "../turn.ts";

export interface Searches {
  readonly webSearches?: number;
}

/** Searches that the API may make by itself in one call with these tools. */
export function searchesIn(tools: readonly ToolUnion[]): Searches {
  const most = tools.map((tool) => ("max_uses" in tool ? (tool.max_uses ?? 0) : 0));
  const webSearches = most.reduce((sum, uses) => sum + uses, 0);
  return webSearches > 0 ? { webSearches } : {};
}

/** In tokens. Throws BudgetSpent when there can be no call, PriceUnknown when nobody knows what it would cost. */
export function allowedTokens(turn: Turn, inputTokens: number, searches: Searches = {}): number {
  const { log, begin, budget, model, call } = turn;
  const spent = spentIn(log.slice(begin), model.price);
  const planned = { inputTokens, maxTokens: model.maxTokens, ...searches };
  const allowed = allowedAnswer(budget, spent, planned, model.price, call.agent);
  if (typeof allowed !== "number") throw allowed;
  return allowed;
}
