// The budget of a whole query: eleven agents on one account, which they cannot overspend together, and without which none of them
// makes a model call.
import { join } from "node:path";

import { TaskState } from "@a2a-js/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { findControlPlane } from "../../scripts/targets/local/control-plane.ts";
import { controlPlaneLayout } from "../../scripts/targets/local/layout.ts";
import { ControlPlaneState, readState } from "../../scripts/targets/local/state.ts";
import { jobToken } from "../../scripts/targets/local/secrets.ts";
import { connect, saying, send } from "../support/a2a-client.ts";
import { signalProcess } from "../support/deployment.ts";
import { saidLast } from "../support/messages-api.ts";
import { deployScripted, type Scripted } from "./scripted.ts";

const JOB = "scripted-budget";
const HELPERS = Array.from({ length: 10 }, (_, n) => `helper_${n}`);
const Spent = z.object({ turns: z.number(), tokens: z.number(), usd: z.number() });
const Account = z.object({
  exhausted: z.nullable(z.object({ kind: z.string() })),
  byAgent: z.array(Spent.extend({ agent: z.string() })),
});

let team: Scripted;
beforeAll(async () => {
  team = await deployScripted(JOB);
});
afterAll(async () => team[Symbol.asyncDispose]());

async function controlPlane() {
  const found = await findControlPlane(join(team.deployment.home, ".troupe"));
  if (!found) throw new Error("The control plane does not run.");
  return found;
}

/** The asker asks all ten at once; each of them would go on for ever. */
function scripts() {
  const asker = team.api.script("asker", function* (call) {
    if (saidLast(call) === "") yield { text: "I have heard all of them." };
    else for (const agent of HELPERS) yield { tool: "query_agent", input: { agent, message: "go on for ever" } };
  });
  const helper = team.api.script("helper", function* () {
    yield { tool: "no_such_tool", input: {} };
  });
  return { asker, helper, calls: () => asker.length + helper.length };
}

test("ten agents that run at once cannot overspend it: not one model call more is made, and the answer says what was spent by whom", async () => {
  const { calls } = scripts();
  const task = await send(await connect(team.urls.get("asker") ?? ""), saying("hello"));
  expect(task.status?.state).toBe(TaskState.TASK_STATE_FAILED);
  expect(calls()).toBe(25);
  const [part] = task.status?.message?.parts ?? [];
  const words = String(part?.content?.value);
  expect(words).toMatch(/25 model calls/);
  for (const agent of ["asker", ...HELPERS]) expect(words).toContain(agent);
  expect(task.metadata?.["result"]).toMatchObject({ subtype: "error_max_turns" });

  const { url, secret } = await controlPlane();
  const headers = { authorization: `Bearer ${jobToken(secret, JOB)}` };
  const response = await fetch(`${url}/v1/budgets/${encodeURIComponent(task.id)}`, { headers });
  const account = Account.parse(await response.json());
  expect(account.exhausted?.kind).toBe("turns");
  expect(account.byAgent.reduce((sum, { turns }) => sum + turns, 0)).toBe(25);
  const usage = z.object({ inputTokens: z.number(), outputTokens: z.number() }).parse(task.metadata?.["usage"]);
  const tokens = account.byAgent.reduce((sum, each) => sum + each.tokens, 0);
  expect(tokens).toBe(usage.inputTokens + usage.outputTokens);
});

test("without the control plane no model call is made, and the task says why", async () => {
  const state = await readState(controlPlaneLayout(join(team.deployment.home, ".troupe")).state, ControlPlaneState);
  signalProcess(state?.process?.pid, "SIGKILL");
  const { calls } = scripts();
  const task = await send(await connect(team.urls.get("asker") ?? ""), saying("hello again"));
  expect(task.status?.state).toBe(TaskState.TASK_STATE_FAILED);
  expect(String(task.status?.message?.parts[0]?.content?.value)).toContain("no model call is made");
  expect(calls()).toBe(0);
  await team.deployment.succeed("restart", JOB);
}, 40_000);
