// The budget of a whole query: eleven agents on one account, which they cannot overspend together, and without which none of them
// makes a model call.
import { join } from "node:path";

import { type Task, TaskState } from "@a2a-js/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { findControlPlane } from "../../scripts/targets/local/control-plane/control-plane.ts";
import { controlPlaneLayout } from "../../scripts/targets/local/state/layout.ts";
import { endSupervised } from "../../scripts/targets/local/processes/supervisor.ts";
import { jobToken } from "../../scripts/targets/local/state/secrets.ts";
import { connect, saying, send } from "../support/a2a-client.ts";
import { eventually } from "../support/deployment.ts";
import { type MessagesApi, saidLast, silence } from "../support/messages-api.ts";
import { deployScripted, type Scripted } from "./scripted.ts";

const JOB = "scripted-budget";
const HELPERS = Array.from({ length: 10 }, (_, n) => `helper_${n}`);
const Spent = z.object({ turns: z.number(), tokens: z.number(), usd: z.number() });
const Account = z.object({
  exhausted: z.nullable(z.object({ kind: z.string(), limit: z.number(), spent: z.number() })),
  spent: Spent,
  states: z.object({ open: Spent }),
  byAgent: z.array(Spent.extend({ agent: z.string() })),
});

let team: Scripted;
beforeAll(async () => {
  team = await deployScripted(JOB);
});
afterAll(async () => team[Symbol.asyncDispose]());

async function accountOf({ deployment }: Scripted, job: string, query: string) {
  const found = await findControlPlane(join(deployment.home, ".troupe"));
  if (!found) throw new Error("The control plane does not run.");
  const headers = { authorization: `Bearer ${jobToken(found.secret, job)}` };
  const response = await fetch(`${found.url}/v1/budgets/${encodeURIComponent(query)}`, { headers });
  return Account.parse(await response.json());
}

/** The asker asks all helpers at once; each of them would go on for ever. */
function scripts(api: MessagesApi, helpers: readonly string[] = HELPERS) {
  const asker = api.script("asker", function* (call) {
    if (saidLast(call) === "") yield { text: "I have heard all of them." };
    else for (const agent of helpers) yield { tool: "query_agent", input: { agent, message: "go on for ever" } };
  });
  const helper = api.script("helper", function* () {
    yield { outputTokens: 200 };
    yield { tool: "no_such_tool", input: {} };
  });
  return { asker, helper, calls: () => asker.length + helper.length };
}

function reasonOf(task: Task): string {
  return String(task.status?.message?.parts[0]?.content?.value);
}

test("ten agents that run at once cannot overspend it: not one model call more is made, and the answer says what was spent by whom", async () => {
  const { calls } = scripts(team.api);
  const task = await send(await connect(team.urls.get("asker") ?? ""), saying("hello"));
  expect(task.status?.state).toBe(TaskState.TASK_STATE_FAILED);
  expect(calls()).toBe(25);
  const words = reasonOf(task);
  expect(words).toMatch(/25 model calls/);
  for (const agent of ["asker", ...HELPERS]) expect(words).toContain(agent);
  expect(task.metadata?.["result"]).toMatchObject({ subtype: "error_max_turns" });

  const account = await accountOf(team, JOB, task.id);
  expect(account.exhausted?.kind).toBe("turns");
  expect(account.byAgent.reduce((sum, { turns }) => sum + turns, 0)).toBe(25);
  const usage = z.object({ inputTokens: z.number(), outputTokens: z.number() }).parse(task.metadata?.["usage"]);
  const tokens = account.byAgent.reduce((sum, each) => sum + each.tokens, 0);
  expect(tokens).toBe(usage.inputTokens + usage.outputTokens);
});

test("without the control plane no model call is made, and the task says why", async () => {
  const { registry } = controlPlaneLayout(join(team.deployment.home, ".troupe"));
  await endSupervised([registry]);
  const { calls } = scripts(team.api);
  const task = await send(await connect(team.urls.get("asker") ?? ""), saying("hello again"));
  expect(task.status?.state).toBe(TaskState.TASK_STATE_FAILED);
  expect(reasonOf(task)).toContain("no model call is made");
  expect(calls()).toBe(0);
  await team.deployment.succeed("restart", JOB);
}, 40_000);

const THREE = ["one", "two", "three"];

/** Asker and three helpers, with this budget for a query of all of them. */
function jobWith(name: string, budget: string): string {
  const agent = (id: string, model: string) =>
    `  - { id: ${id}, worker: coordinator, model: { name: ${model}, price: { input: 1, output: 1 } } }`;
  return `name: ${name}
agents:
${[agent("asker", "asker"), ...THREE.map((id) => agent(id, "helper"))].join("\n")}
topology: { type: hub-spoke, hub: asker, spokes: [${THREE.join(", ")}] }
model: { provider: anthropic, max_tokens: 300 }
budget: { ${budget} }
`;
}

test.each([
  ["tokens", "max_tokens: 4000", "error_max_tokens", /4000 tokens of the whole query/],
  ["usd", "max_usd: 0.004", "error_max_budget_usd", /\$0.004 of the whole query/],
  ["tool_calls", "max_tool_calls: 9", "error_max_tool_calls", /9 tool calls of the whole query/],
] as const)(
  "a query whose %s are spent (%s) ends in all its agents: none makes another model call, and nothing is overspent",
  async (kind, budget, subtype, words) => {
    const name = `spends-${kind.replace("_", "-")}`;
    await using job = await deployScripted(name, jobWith(name, budget));
    const { calls } = scripts(job.api, THREE);
    const task = await send(await connect(job.urls.get("asker") ?? ""), saying("hello"));
    expect(task.metadata?.["result"]).toMatchObject({ subtype });
    expect(reasonOf(task)).toMatch(words);
    for (const agent of ["asker", ...THREE]) expect(reasonOf(task)).toContain(`${agent}: `);
    const account = await accountOf(job, name, task.id);
    expect(account).toMatchObject({ exhausted: { kind }, states: { open: { turns: 0 } } });
    expect(account.exhausted?.spent).toBeLessThanOrEqual(account.exhausted?.limit ?? 0);
    expect(calls()).toBe(account.spent.turns);
  },
);

test("a query whose time is over ends in all its agents: their model calls are given up, and none is made any more", async () => {
  const name = "spends-time";
  await using job = await deployScripted(name, jobWith(name, "max_wall_time: 4s"));
  const { helper, calls } = scripts(job.api, THREE);
  const hanging = job.api.script("helper", async function* (call) {
    yield { text: "Let me think" };
    await silence(call);
  });
  const task = await send(await connect(job.urls.get("asker") ?? ""), saying("hello"));
  expect(task.metadata?.["result"]).toMatchObject({ subtype: "error_max_wall_time" });
  expect(reasonOf(task)).toMatch(/4 s of the whole query was spent .*\(.*one: 1 model call/);
  const areGone = async () => (hanging.every(({ brokenAt }) => brokenAt !== undefined) ? true : undefined);
  await eventually(areGone, 15_000, "the helpers' model calls are given up");
  expect([hanging.length, helper.length, calls()]).toEqual([3, 0, 1]);
  const account = await accountOf(job, name, task.id);
  expect(account).toMatchObject({ exhausted: { kind: "wall_time", limit: 4000 } });
});
