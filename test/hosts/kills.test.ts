// Kills of workerds on two hosts at any moment, by a seed, while questions are asked; afterwards the logs, accounts and traces are read.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { controlPlaneOf, hostsJob } from "../../scripts/targets/hosts/job-machines.ts";
import { jobLayout } from "../../scripts/targets/local/state/layout.ts";
import { lockHolder } from "../../scripts/targets/local/state/lock.ts";
import { readJobSecrets } from "../../scripts/targets/local/state/secrets.ts";
import { checkAccounts } from "../e2e/crash/accounts.ts";
import { accountOf } from "../e2e/crash/job.ts";
import { readLogs } from "../e2e/crash/logs.ts";
import { faultsIn } from "../e2e/crash/proof.ts";
import { seeded } from "../e2e/crash/random.ts";
import { Answer, fourAgents, HUB_SPOKE } from "../e2e/shapes.ts";
import { eventually, signalProcess, SILENT_IO } from "../support/deployment.ts";
import { type HostNetwork, startHostNetwork } from "../support/network/host-network.ts";
import { wholeTrace } from "./whole-trace.ts";

const JOB = "killed";
const KILLS = 40;
const SEED = 20_261;
const LANES = 2;
const BACK_MS = 60_000;
const FREE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
const QUESTIONS = ["How do Durable Objects store data?", "What is an A2A agent card?", "What is prompt caching?"];
const FIELDS = `${HUB_SPOKE}
model: { provider: offline, offline: { ttft: 20ms, tokens_per_second: 4000 } }
budget: { max_turns: 100000, max_tokens: 100000000, max_usd: 1000, max_tool_calls: 100000 }
`;
/** A tool here tells nobody that it runs. */
const NOBODY_TOLD = /and never ran$/;

let all: HostNetwork;
beforeAll(async () => {
  all = await startHostNetwork(2);
  process.env["TROUPE_SSH_CONFIG"] = all.config;
  const file = await all.deployment.write(`${JOB}.yaml`, fourAgents(JOB, FIELDS));
  await all.deployment.succeed("deploy", file, "--hosts", await all.hostFile(2));
});
afterAll(async () => all[Symbol.asyncDispose]());

interface Victim {
  readonly name: string;
  readonly pid: number;
}

/** Processes that have been healthy since they began: others would count as a crash loop. */
async function victims(): Promise<Victim[]> {
  const found: Victim[] = [];
  for (const host of all.hosts) {
    const folder = all.jobFolder(host, JOB);
    for (const name of await readdir(join(folder, "processes"))) {
      if (!existsSync(join(folder, "processes", name, "healthy"))) continue;
      const held = await lockHolder(join(folder, "data", `${name}.lock`));
      if (held) found.push({ name: `${host.destination} ${name}`, pid: held.pid });
    }
  }
  return found;
}

test(
  `after ${KILLS} kills on two hosts every question is answered once, nothing ran twice, accounts are exact and traces whole`,
  { timeout: 900_000 },
  async () => {
    const random = seeded(SEED);
    const answers: Answered[] = [];
    const over = new AbortController();
    const lane = async () => {
      while (!over.signal.aborted) answers.push(await asked(random.pick(QUESTIONS)));
    };
    const lanes = Array.from({ length: LANES }, lane);
    const killed = new Map<string, number>();
    for (let n = 0; n < KILLS;) {
      const anyone = async () => {
        const found = await victims();
        return found.length > 0 ? found : undefined;
      };
      const alive = await eventually(anyone, BACK_MS, "something runs");
      const { name, pid } = random.pick(alive);
      // The moment of a kill is what is tried. Ten in one step of a turn would be taken for its fault.
      await delay(random.whole(500, 5_000));
      // It may be the one before, which was about to end.
      if (!(await victims()).some((victim) => victim.pid === pid)) continue;
      signalProcess(pid, "SIGKILL");
      n++;
      killed.set(name, (killed.get(name) ?? 0) + 1);
    }
    over.abort();
    await Promise.all(lanes);
    console.log(`seed ${SEED}, ${answers.length} questions, kills: ${JSON.stringify(Object.fromEntries(killed))}`);
    expect(answers.filter(({ state }) => state !== "completed")).toEqual([]);
    expect(new Set(answers.map(({ taskId }) => taskId)).size).toBe(answers.length);
    for (const { traceId } of answers) await wholeTrace(all, JOB, traceId);

    const home = join(all.deployment.home, ".troupe");
    const deployed = await hostsJob(home, JOB);
    const secrets = await readJobSecrets(jobLayout(home, JOB).secrets);
    if (deployed === undefined || secrets === undefined) throw new Error(`${JOB} is not deployed`);
    const controlPlane = await controlPlaneOf(home, deployed, SILENT_IO.signal);
    const sessionFolders = deployed.plan.agents.map(({ id, place }) => ({
      agent: id,
      folder: join(all.jobFolder(all.host(place), JOB), "data", id, `agent-${id}-Session`),
    }));
    const logs = await whileStopped(async () => readLogs({ sessionFolders, key: secrets.key }));
    expect(logs.tasks.filter(({ lives }) => lives > 1).length).toBeGreaterThan(0);
    const none = { queries: [], runs: [], once: new Set<string>(), asked: "", excused: undefined };
    expect(faultsIn({ ...none, logs }).filter((fault) => !NOBODY_TOLD.test(fault))).toEqual([]);
    const account = async (query: string) => accountOf(controlPlane, JOB, query);
    expect((await checkAccounts({ account }, logs.tasks, FREE)).faults).toEqual([]);
  },
);

async function whileStopped<Result>(work: () => Promise<Result>): Promise<Result> {
  for (const name of ["h1", "h2"]) await all.network.signal(name, "SIGSTOP");
  try {
    return await work();
  } finally {
    for (const name of ["h1", "h2"]) await all.network.signal(name, "SIGCONT");
  }
}

interface Answered {
  readonly state: string;
  readonly taskId: string;
  readonly traceId: string;
}

async function asked(question: string): Promise<Answered> {
  const { code, stdout, stderr } = await all.deployment.troupe("query", JOB, question, "--json");
  if (code !== 0) return { state: `exit ${code}: ${stdout} ${stderr}`, taskId: crypto.randomUUID(), traceId: "" };
  return Answer.parse(JSON.parse(stdout));
}
