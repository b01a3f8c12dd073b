// The budgets of a job in words: of a query over all agents, and of each agent.
import { ownAgents } from "#jobs/schema/remote.ts";
import type { Job } from "#jobs/schema/schema.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import type { Limits } from "#shared/budget/limits.ts";

import { table } from "../terminal/io.ts";
import { duration } from "../traces/amounts.ts";
import { configOf } from "./show-permissions.ts";

type Words = { readonly [Name in keyof NonNullable<Job["budget"]>]?: NonNullable<Job["budget"]>[Name] | undefined };

/** One line for the query, and one for each group of agents with the same budget. */
export function showBudgets(job: Job): string {
  const agents = new Map<string, string[]>();
  for (const { id, budget } of ownAgents(job.agents)) {
    const shown = limits(budget);
    agents.set(shown, [...(agents.get(shown) ?? []), id]);
  }
  const rows = [...agents].map(([shown, ids]) => `          ${ids.join(", ")}: ${shown}`);
  const query = job.budget === undefined ? "" : limits(job.budget);
  return [`Budget    a query over all agents: ${query === "" ? "no limit" : query}`, ...rows].join("\n");
}

/** The same of a deployed job: a row for the query and one for each agent. */
export function showAgentBudgets({ agents }: Plan): string {
  const configs = agents.map((agent) => configOf(agent));
  const query = configs[0]?.queryBudget ?? null;
  return table([
    ["a question over all agents", query === null ? "no limit" : deployedLimits(query)],
    ...configs.map(({ id, budget }) => [`${id} for one message`, deployedLimits(budget)]),
  ]);
}

function deployedLimits({ maxTurns, maxTokens, maxUsd, maxToolCalls, maxWallMs }: Limits): string {
  return limits({
    max_turns: maxTurns,
    max_tokens: maxTokens,
    max_usd: maxUsd,
    max_tool_calls: maxToolCalls,
    max_wall_time: maxWallMs === undefined ? undefined : duration(maxWallMs * 1_000),
  });
}

function limits({ max_turns, max_tokens, max_usd, max_wall_time, max_tool_calls }: Words): string {
  return [
    max_turns === undefined ? undefined : counted(max_turns, "model call"),
    max_tokens === undefined ? undefined : counted(max_tokens, "token"),
    max_usd === undefined ? undefined : `$${max_usd}`,
    max_tool_calls === undefined ? undefined : counted(max_tool_calls, "tool call"),
    max_wall_time,
  ]
    .filter((limit) => limit !== undefined)
    .join(", ");
}

function counted(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? "" : "s"}`;
}
