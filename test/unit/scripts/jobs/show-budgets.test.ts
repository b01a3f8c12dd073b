import { expect, test } from "vitest";
import { showBudgets } from "../../../../scripts/jobs/show-budgets.ts";
import { jobOf } from "../../jobs/support.ts";

const AGENTS = `name: x
agents:
  - { id: a, worker: searcher, budget: { max_turns: 1, max_usd: 0.5, max_tool_calls: 0 } }
  - { id: b, worker: searcher }
  - { id: c, worker: searcher }
topology: { type: mesh }
execution: { entry_point: a }
`;

test("agents with the same budget share a line, and a query without one has no limit", () => {
  expect(showBudgets(jobOf(AGENTS))).toBe(`Budget    a query over all agents: no limit
          a: 1 model call, $0.5, 0 tool calls, 5m
          b, c: 20 model calls, 5m`);
});

test("a query's budget is shown with all that it limits", () => {
  const job = jobOf(
    `${AGENTS}budget: { max_turns: 9, max_tokens: 20000, max_usd: 1.25, max_wall_time: 90s, max_tool_calls: 7 }`,
  );
  expect(showBudgets(job).split("\n")[0]).toBe(
    "Budget    a query over all agents: 9 model calls, 20000 tokens, $1.25, 7 tool calls, 90s",
  );
});
