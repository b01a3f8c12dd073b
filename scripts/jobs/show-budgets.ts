// The budgets of a job as `troupe plan` shows them: of a query over all agents, and of each agent.
import type { Job } from "#jobs/schema/schema.ts";

type Budget = NonNullable<Job["budget"]>;

/** One line for the query, and one for each group of agents with the same budget. */
export function showBudgets(job: Job): string {
  const agents = new Map<string, string[]>();
  for (const { id, budget } of job.agents) {
    const shown = limits(budget);
    agents.set(shown, [...(agents.get(shown) ?? []), id]);
  }
  const rows = [...agents].map(([shown, ids]) => `          ${ids.join(", ")}: ${shown}`);
  const query = job.budget === undefined ? "" : limits(job.budget);
  return [`Budget    a query over all agents: ${query === "" ? "no limit" : query}`, ...rows].join("\n");
}

function limits({ max_turns, max_tokens, max_usd, max_wall_time, max_tool_calls }: Budget): string {
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
