// The report on a budget that is spent: which, how much was spent and by whom, as data and in words for the person who asked.
import * as z from "zod";
import { BUDGETS, type BudgetKind } from "./limits.ts";

/** What one agent has spent of a query's budget, what is set aside for its calls under way included. */
export const AgentShare = z.object({
  agent: z.string(),
  turns: z.number(),
  tokens: z.number(),
  usd: z.number(),
  toolCalls: z.number(),
});
export type AgentShare = Readonly<z.infer<typeof AgentShare>>;

/** `limit`, `spent` and `needed` are calls, tokens, dollars or milliseconds, as `kind` says. */
export const Exhaustion = z.object({
  kind: z.enum(BUDGETS),
  limit: z.number(),
  spent: z.number(),
  /** What the call that was turned away would have needed at least. */
  needed: z.number(),
  /** Who spent most of it first. */
  byAgent: z.array(AgentShare),
});
export type Exhaustion = Readonly<z.infer<typeof Exhaustion>>;

/** The budget of one agent, or of a whole query when `byAgent` says who spent it. */
export function spentMessage({
  kind,
  limit,
  spent,
  needed,
  byAgent,
}: Omit<Exhaustion, "byAgent"> & Partial<Pick<Exhaustion, "byAgent">>): string {
  const whose = byAgent ? " of the whole query" : "";
  const by = (byAgent ?? []).flatMap((share) => shareInWords(share, kind));
  // Its own tool calls an agent books before it runs them, one query's only those that run.
  const asked = kind === "tool_calls" && !byAgent;
  const who = by.length > 0 ? ` (${by.join(", ")})` : "";
  const said = `The budget of ${named(limit, kind)}${whose} was spent before the answer was complete${who}.`;
  if (spent > limit) return `${said} ${asked ? "The model asked for" : "It came to"} ${inUnit(spent, kind)}.`;
  if (spent + needed <= limit || spent === limit) return said;
  return `${said} So far it came to ${inUnit(spent, kind)}; what came next needed at least ${inUnit(needed, kind)} more.`;
}

/** Empty where the agent has spent nothing. Agents share a query's time, so for it their model calls are told. */
function shareInWords(share: AgentShare, kind: BudgetKind): string[] {
  const amount = shareOf(share, kind) ?? share.turns;
  if (amount === 0) return [];
  return [`${share.agent}: ${kind === "wall_time" ? named(amount, "turns") : inUnit(amount, kind)}`];
}

/** What of an agent's share counts against this budget; undefined for time, of which no agent has a share. */
export function shareOf(share: AgentShare, kind: BudgetKind): number | undefined {
  switch (kind) {
    case "turns":
      return share.turns;
    case "tokens":
      return share.tokens;
    case "usd":
      return share.usd;
    case "tool_calls":
      return share.toolCalls;
    case "wall_time":
      return undefined;
  }
}

function named(amount: number, kind: BudgetKind): string {
  switch (kind) {
    case "turns":
      return `${amount} model ${amount === 1 ? "call" : "calls"}`;
    case "tokens":
      return `${amount} tokens`;
    case "tool_calls":
      return `${amount} tool ${amount === 1 ? "call" : "calls"}`;
    case "usd":
    case "wall_time":
      return inUnit(amount, kind);
  }
}

function inUnit(amount: number, kind: BudgetKind): string {
  if (kind === "usd") return `$${Number(amount.toPrecision(6))}`;
  return kind === "wall_time" ? `${amount / 1000} s` : String(amount);
}
