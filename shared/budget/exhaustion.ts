// The report on an exhausted budget: which budget, how much was spent and by whom, as data and as a sentence for
// people.
import * as z from "zod";
import { BUDGETS, type BudgetKind } from "./limits.ts";

/** What one agent has spent of a query's budget, including what is set aside for its open calls. */
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
  /** The least that the refused call needed. */
  needed: z.number(),
  /** The largest share first. */
  byAgent: z.array(AgentShare),
});
export type Exhaustion = Readonly<z.infer<typeof Exhaustion>>;

/** A sentence about the budget of one agent; with `byAgent`, of a whole query. */
export function spentMessage({
  kind,
  limit,
  spent,
  needed,
  byAgent,
}: Omit<Exhaustion, "byAgent"> & Partial<Pick<Exhaustion, "byAgent">>): string {
  const whose = byAgent ? " of the whole query" : "";
  const by = (byAgent ?? []).flatMap((share) => shareInWords(share, kind));
  // An agent's budget counts requested tool calls, a query's budget those that ran.
  const asked = kind === "tool_calls" && !byAgent;
  const who = by.length > 0 ? ` (${by.join(", ")})` : "";
  const said = `The budget of ${named(limit, kind)}${whose} was spent before the answer was complete${who}.`;
  if (spent > limit) return `${said} ${asked ? "The model asked for" : "It came to"} ${inUnit(spent, kind)}.`;
  if (spent + needed <= limit || spent === limit) return said;
  return `${said} So far it came to ${inUnit(spent, kind)}; what came next needed at least ${inUnit(needed, kind)} more.`;
}

/** Empty when the agent spent nothing. Agents share a query's time, so their model calls stand for it. */
function shareInWords(share: AgentShare, kind: BudgetKind): string[] {
  const amount = shareOf(share, kind) ?? share.turns;
  if (amount === 0) return [];
  return [`${share.agent}: ${kind === "wall_time" ? named(amount, "turns") : inUnit(amount, kind)}`];
}

/** The amount that counts against this budget; undefined for time, which agents do not share out. */
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
