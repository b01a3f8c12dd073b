// Eleven agents in processes of their own on three hosts, and something is killed at each step of a deployment.
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { lockHolder } from "../../scripts/targets/local/state/lock.ts";
import { Answer } from "../e2e/shapes.ts";
import { eventually, signalProcess } from "../support/deployment.ts";
import { type HostNetwork, startHostNetwork } from "../support/network/host-network.ts";
import { descendants } from "../support/ssh-host.ts";
import { deploySlowly, sameRelease, STEPS, type Watched } from "./deploy-steps.ts";

const JOB = "eleven";
const TIMEOUT_S = 60;
const LIMIT_MS = (2 * TIMEOUT_S + 30 + 60) * 1000;
const SPOKES = ["searcher", "summarizer", "fact_checker"];
const MORE = Array.from({ length: 7 }, (_, n) => `searcher_${n}`);

let all: HostNetwork;
let hostFile: string;
let version = 1;

async function write(): Promise<string> {
  version++;
  return all.deployment.write(
    `${JOB}.yaml`,
    `name: ${JOB}
version: ${version}.0.0
agents: [{ id: coordinator }, ${SPOKES.map((id) => `{ id: ${id} }`).join(", ")}, ${MORE.map((id) => `{ id: ${id}, worker: searcher }`).join(", ")}]
topology: { type: hub-spoke, hub: coordinator, spokes: [${[...SPOKES, ...MORE].join(", ")}] }
isolation: agent
deployment: { timeout: ${TIMEOUT_S}s }
`,
  );
}

const ask = async () => Answer.parse(await all.deployment.json("query", JOB, "What is a Durable Object?"));

/** Holders of a lock of each process on the second host: those of a trial, where one runs. */
async function holders(path: (name: string) => string): Promise<number[]> {
  const job = all.jobFolder(all.host("h2"), JOB);
  for (const folder of [join(job, "proof"), job]) {
    const names = await readdir(join(folder, "processes")).catch(() => []);
    const held = await Promise.all(names.map(async (name) => lockHolder(join(folder, path(name)))));
    const pids = held.flatMap((identity) => identity?.pid ?? []);
    if (pids.length > 0) return pids.slice(0, 1);
  }
  return [];
}

const VICTIMS: Readonly<Record<string, (command: Watched) => Promise<number[]>>> = {
  "the command": async ({ process: { pid = 0 } }) => [pid],
  "its ssh": async ({ process: { pid = 0 } }) => descendants(pid, "ssh"),
  "a supervisor": async () => holders((name) => join("processes", name, "supervisor")),
  "a workerd": async () => holders((name) => join("data", `${name}.lock`)),
};

beforeAll(async () => {
  all = await startHostNetwork(3);
  hostFile = await all.hostFile(4);
  await all.deployment.succeed("deploy", await write(), "--hosts", hostFile);
}, 600_000);
afterAll(async () => all[Symbol.asyncDispose]());

test.each(STEPS.flatMap((step) => Object.keys(VICTIMS).map((victim) => ({ step, victim }))))(
  "$victim killed at '$step' leaves one whole release that answers, and the next deployment succeeds",
  async ({ step, victim }) => {
    const file = await write();
    const command = await deploySlowly(all, JOB, file, "--hosts", hostFile);
    const reached = await command.reaches(step);
    const pids = (await VICTIMS[victim]?.(command)) ?? [];
    for (const pid of pids) signalIfThere(pid);
    const { code, stderr } = await command.outcome;
    const release = await sameRelease(all, JOB, LIMIT_MS);
    const state = (await ask()).state;
    const begun = Date.now();
    const again = async () =>
      (await all.deployment.troupe("deploy", file, "--hosts", hostFile)).code === 0 ? true : undefined;
    await eventually(again, LIMIT_MS, "the job is deployed");
    const how = `${reached ? `${pids.length} killed` : "not seen"}, exit ${code}, release ${release}`;
    console.log(`${victim} at '${step}': ${how}; deployed again in ${(Date.now() - begun) / 1000} s\n${stderr}`);
    expect(state).toBe("completed");
  },
);

function signalIfThere(pid: number): void {
  try {
    signalProcess(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
