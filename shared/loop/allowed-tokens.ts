// How long the answer of a model call may be, by the agent's own budget.
import { allowedAnswer, spentIn } from "./spending.ts";
import type { Turn } from "./turn.ts";

/** Searches that the API may make by itself in one call. */
export function searchesIn({ serverTools }: Pick<Turn, "serverTools">): { webSearches?: number } {
  const most = serverTools.map((tool) => ("max_uses" in tool ? (tool.max_uses ?? 0) : 0));
  const webSearches = most.reduce((sum, uses) => sum + uses, 0);
  return webSearches > 0 ? { webSearches } : {};
}

/** In tokens. Throws BudgetSpent when there can be no call, PriceUnknown when nobody knows what it would cost. */
export function allowedTokens(turn: Turn, inputTokens: number): number {
  const { log, begin, budget, model, call } = turn;
  const spent = spentIn(log.slice(begin), model.price);
  const planned = { inputTokens, maxTokens: model.maxTokens, ...searchesIn(turn) };
  const allowed = allowedAnswer(budget, spent, planned, model.price, call.agent);
  if (typeof allowed !== "number") throw allowed;
  return allowed;
}
