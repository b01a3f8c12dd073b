// With a process for each agent, a tool that holds the event loop of one costs the others no heartbeat.
import { join } from "node:path";

import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";

import { WORKER_FORMAT } from "../../scripts/project/worker-format.ts";
import { findControlPlane } from "../../scripts/targets/local/control-plane/control-plane.ts";
import { registeredAgents } from "../../scripts/targets/local/control-plane/registry.ts";
import { jobLayout } from "../../scripts/targets/local/state/layout.ts";
import { readJobState } from "../../scripts/targets/local/state/state.ts";
import { eventually } from "../support/deployment.ts";
import { saidLast } from "../support/messages-api.ts";
import { compute } from "./compute.ts";
import { NEVER } from "./shapes.ts";
import { deployScripted, type Scripted } from "./scripted.ts";

const JOB = "heavy";
const JOB_FILE = `name: ${JOB}
agents:
  - { id: asker, worker: coordinator }
  - { id: other, worker: fact-checker }
  - { id: heavy, worker: summarizer }
topology: { type: mesh }
execution: { entry_point: asker }
model: { provider: anthropic, name: scripted }
heartbeat: { interval: 500ms }
isolation: agent
${NEVER}
`;
const HELD_MS = 6_000;
const LIMIT_MS = 30_000;

let team: Scripted;
beforeAll(async () => {
  team = await deployScripted(JOB, JOB_FILE);
});
afterAll(async () => team[Symbol.asyncDispose]());

/** Replaces the code of the agent `heavy`. */
async function makeHeavy(): Promise<void> {
  const home = join(team.deployment.home, ".troupe");
  const state = await readJobState(home, JOB);
  if (!state) throw new Error(`${JOB} is not deployed.`);
  await build({
    entryPoints: { summarizer: join(import.meta.dirname, "worker/heavy-agent.ts") },
    outdir: jobLayout(home, JOB).release(state.release),
    ...WORKER_FORMAT,
    logLevel: "silent",
  });
  await team.deployment.succeed("restart", JOB);
}

/** Agent → its state, as the registry sees it. */
async function states(): Promise<Record<string, string>> {
  const controlPlane = await findControlPlane(join(team.deployment.home, ".troupe"));
  const agents = (controlPlane && (await registeredAgents(controlPlane, JOB))) ?? [];
  return Object.fromEntries(agents.map(({ id, state }) => [id, state]));
}

function roundsIn(ms: number): number {
  const rounds = 20_000_000;
  const begun = performance.now();
  compute(rounds);
  return Math.round((rounds * ms) / (performance.now() - begun));
}

test("a tool that computes for seconds costs the other agents no heartbeat", async () => {
  await makeHeavy();
  await eventually(async () => (await states())["heavy"] === "alive" || undefined, LIMIT_MS, "all are there");
  team.api.script("scripted", function* (call) {
    if (saidLast(call) === "") yield { text: "done" };
    else yield { tool: "compute", input: { rounds: roundsIn(HELD_MS) } };
  });
  const asked = team.deployment.troupe("query", JOB, "compute", "--agent", "heavy");
  const seen: Record<string, string>[] = [];
  const isHeld = async () => {
    seen.push(await states());
    return seen.at(-1)?.["heavy"] !== "alive" || undefined;
  };
  await eventually(isHeld, LIMIT_MS, "the agent that computes misses its heartbeats");
  const isBack = async () => {
    seen.push(await states());
    return seen.at(-1)?.["heavy"] === "alive" || undefined;
  };
  await eventually(isBack, LIMIT_MS, "the agent that computed is back");
  expect((await asked).code).toBe(0);
  expect(seen.filter(({ asker, other }) => asker !== "alive" || other !== "alive")).toEqual([]);
});
