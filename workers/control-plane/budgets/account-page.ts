// An account as clients see it: amounts by agent and by state, and the report once a budget is exhausted. Pure.
import type { BudgetKind, Limits } from "#shared/budget/limits.ts";
import { type AgentShare, type Exhaustion, shareOf } from "#shared/budget/exhaustion.ts";
import { toUsd } from "#shared/budget/price.ts";
import { type AccountRow, type Share, type Sums, sumOf } from "./account-rows.ts";
import type { QueryAccount } from "#shared/control-plane/budgets.ts";

export function pageOf(account: AccountRow, shares: readonly Share[], waiting: number): QueryAccount {
  const inState = (state: string) => shown(sumOf(shares.filter((share) => share.state === state)));
  return {
    query: account.query,
    limits: account.limits,
    openedAt: new Date(account.openedAt).toISOString(),
    exhausted: exhaustionOf(account, shares) ?? null,
    spent: shown(sumOf(shares)),
    byAgent: byAgent(shares),
    states: { settled: inState("settled"), open: inState("open"), cut: inState("cut") },
    waiting,
  };
}

/** The report on the exhausted budget; undefined while no budget is exhausted. */
export function exhaustionOf(account: AccountRow, shares: readonly Share[]): Exhaustion | undefined {
  const { exhausted: kind, limits, needed } = account;
  if (kind === null) return undefined;
  const whole = { agent: "", ...shown(sumOf(shares)) };
  const amount = (share: AgentShare) => shareOf(share, kind) ?? share.turns;
  const isTime = kind === "wall_time";
  return {
    kind,
    limit: limitOf(limits, kind),
    spent: isTime ? needed : amount(whole),
    needed: isTime ? 0 : needed,
    byAgent: byAgent(shares).toSorted((a, b) => amount(b) - amount(a)),
  };
}

/** Sorted by name. */
function byAgent(shares: readonly Share[]): AgentShare[] {
  const agents = [...new Set(shares.map(({ agent }) => agent))].toSorted();
  return agents.map((agent) => ({ agent, ...shown(sumOf(shares.filter((share) => share.agent === agent))) }));
}

function shown({ turns, tokens, pico, toolCalls }: Sums): Omit<AgentShare, "agent"> {
  return { turns, tokens, usd: toUsd(pico), toolCalls };
}

function limitOf(limits: Limits, kind: BudgetKind): number {
  const limit = {
    turns: limits.maxTurns,
    tokens: limits.maxTokens,
    usd: limits.maxUsd,
    wall_time: limits.maxWallMs,
    tool_calls: limits.maxToolCalls,
  }[kind];
  return limit ?? 0;
}
