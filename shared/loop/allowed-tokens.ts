// How long the answer of a model call may be, by the agent's own budget.
import { allowedAnswer, spentIn } from "./spending.ts";
import type { Turn } from "./turn.ts";

/** In tokens. Throws BudgetSpent when there can be no call, PriceUnknown when nobody knows what it would cost. */
export function allowedTokens({ log, begin, budget, model, call }: Turn, inputTokens: number): number {
  const spent = spentIn(log.slice(begin), model.price);
  const planned = { inputTokens, maxTokens: model.maxTokens };
  const allowed = allowedAnswer(budget, spent, planned, model.price, call.agent);
  if (typeof allowed !== "number") throw allowed;
  return allowed;
}
