// How the registry follows agents that die, hang and come back, and how agents bear a registry that does.
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { findControlPlane } from "../../scripts/targets/local/control-plane/control-plane.ts";
import { controlPlaneLayout } from "../../scripts/targets/local/state/layout.ts";
import { lockHolder } from "../../scripts/targets/local/state/lock.ts";
import { endProcess, identify } from "../../scripts/targets/local/state/process.ts";
import { type RegisteredAgent, registeredAgents } from "../../scripts/targets/local/control-plane/registry.ts";
import { supervisorOf } from "../../scripts/targets/local/processes/supervisor.ts";
import { Deployment, eventually, signalProcess } from "../support/deployment.ts";
import { Answer, fourAgents, HUB_SPOKE, NEVER, Status } from "./shapes.ts";

const JOB = "alone";
const VICTIM = "summarizer";
const LEASE_MS = 1_500;
/** A probe of an agent that hangs takes this long. */
const PROBE_MS = 2_000;
/** What looking may take on a busy machine. */
const LOOK_MS = 1_000;

let deployment: Deployment;
let home: string;
beforeAll(async () => {
  deployment = await Deployment.create();
  home = join(deployment.home, ".troupe");
  const file = await deployment.write(`${JOB}.yaml`, fourAgents(JOB, `${HUB_SPOKE}\nisolation: agent\n${NEVER}`));
  await deployment.succeed("deploy", file);
});
afterAll(async () => deployment.close());

/** The registry's own word: the command line also looks at processes. */
async function registered(): Promise<RegisteredAgent[]> {
  const controlPlane = await findControlPlane(home);
  return (controlPlane && (await registeredAgents(controlPlane, JOB))) ?? [];
}

async function statesBut(id: string): Promise<string[]> {
  return (await registered()).filter((agent) => agent.id !== id).map(({ state }) => state);
}

async function becomes(state: string, limitMs: number): Promise<void> {
  const isSo = async () => (await registered()).some((agent) => agent.id === VICTIM && agent.state === state);
  await eventually(async () => (await isSo()) || undefined, limitMs, `${VICTIM} is ${state}`);
}

async function victimPid(): Promise<number | null> {
  const { agents } = Status.parse(await deployment.json("status", JOB));
  return agents.find(({ id }) => id === VICTIM)?.pid ?? null;
}

test("a killed agent is dead within its lease, the others live, and a restart brings it back", async () => {
  signalProcess(await victimPid(), "SIGKILL");
  await becomes("dead", LEASE_MS + LOOK_MS);
  expect(await statesBut(VICTIM)).toEqual(["alive", "alive", "alive"]);
  await deployment.succeed("restart", JOB);
  await becomes("alive", LOOK_MS);
});

// Windows cannot stop a process for a while.
test.skipIf(process.platform === "win32")(
  "an agent that hangs is suspect while it is probed, then dead, and alive again as soon as it goes on",
  async () => {
    const pid = await victimPid();
    signalProcess(pid, "SIGSTOP");
    try {
      await becomes("suspect", LEASE_MS + LOOK_MS);
      await becomes("dead", PROBE_MS + LOOK_MS);
    } finally {
      signalProcess(pid, "SIGCONT");
    }
    await becomes("alive", LEASE_MS);
    expect(await victimPid()).toBe(pid);
  },
);

test("a question whose helper has died is answered without it", async () => {
  signalProcess(await victimPid(), "SIGKILL");
  const { state, answer } = Answer.parse(await deployment.json("query", JOB, "What is workerd?"));
  expect(state).toBe("completed");
  expect(answer).toContain("Sources:\n[1] ");
  await deployment.succeed("restart", JOB);
});

test.each([
  ["that kept its storage", false],
  ["that has forgotten everything", true],
])("agents come back by themselves to a control plane %s after it was killed", async (_, forget) => {
  const { registry } = controlPlaneLayout(home);
  const supervisor = await supervisorOf(registry);
  if (supervisor) await endProcess(supervisor);
  const pid = (await lockHolder(registry.dataLock))?.pid;
  signalProcess(pid, "SIGKILL");
  await eventually(async () => (await isGone(pid)) || undefined, LOOK_MS, "the control plane is gone");
  if (forget) await rm(registry.data, { recursive: true });
  // Any deployment starts the control plane again, on the port that the agents know.
  const other = `name: other\nagents: [{ id: coordinator }]\ntopology: { type: mesh }\n`;
  await deployment.succeed("deploy", await deployment.write("other.yaml", other));

  const since = Date.now();
  const isHeard = ({ lastHeartbeat }: RegisteredAgent) => Date.parse(lastHeartbeat) > since;
  const heard = await eventually(
    async () => {
      const agents = await registered();
      return agents.length === 4 && agents.every(isHeard) ? agents : undefined;
    },
    LEASE_MS + LOOK_MS,
    "all four agents are heard",
  );
  expect(heard.map((agent) => agent.state)).toEqual(["alive", "alive", "alive", "alive"]);
});

async function isGone(pid: number | undefined): Promise<boolean> {
  return pid === undefined || (await identify(pid)) === undefined;
}
