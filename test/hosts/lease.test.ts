// The network between the control plane and an agent's host is cut for longer than the agent's lease.
import { afterAll, beforeAll, expect, test } from "vitest";

import { controlPlaneOf, hostsJob } from "../../scripts/targets/hosts/job-machines.ts";
import { registeredAgents } from "../../scripts/targets/local/control-plane/registry.ts";
import { eventually, SILENT_IO } from "../support/deployment.ts";
import { type AskingJob, deployAskingJob, JOB } from "./asking-job.ts";

const LIMIT_MS = 30_000;

let job: AskingJob;
beforeAll(async () => {
  job = await deployAskingJob();
  process.env["TROUPE_SSH_CONFIG"] = job.all.config;
});
afterAll(async () => job[Symbol.asyncDispose]());

test("an agent whose network is cut is suspect, then dead, and alive again when the network is", async () => {
  const home = `${job.all.deployment.home}/.troupe`;
  const deployed = await hostsJob(home, JOB);
  if (deployed === undefined) throw new Error(`${JOB} is not deployed`);
  const controlPlane = await controlPlaneOf(home, deployed, SILENT_IO.signal);
  const states: string[] = [];
  const until = async (wanted: string) => {
    const look = async () => {
      const agents = (await registeredAgents(controlPlane, JOB)) ?? [];
      const state = agents.find(({ id }) => id === "helper")?.state ?? "unknown";
      if (states.at(-1) !== state) states.push(state);
      expect(agents.find(({ id }) => id === "asker")?.state).toBe("alive");
      return state === wanted ? true : undefined;
    };
    await eventually(look, LIMIT_MS, `the helper is ${wanted}`);
  };
  await until("alive");
  await job.all.network.part("h1", "h2");
  await until("dead");
  await job.all.network.heal("h1", "h2");
  await until("alive");
  expect(states).toEqual(["alive", "suspect", "dead", "alive"]);
});
