// The command line loses the network to all hosts at each step of a deployment.
import { afterAll, beforeAll, expect, test } from "vitest";

import { Answer, fourAgents, HUB_SPOKE } from "../e2e/shapes.ts";
import { eventually } from "../support/deployment.ts";
import { type HostNetwork, startHostNetwork } from "../support/network/host-network.ts";
import { deploySlowly, sameRelease, STEPS } from "./deploy-steps.ts";

const JOB = "team";
const TIMEOUT_S = 20;
/** What ssh takes to notice, and the hosts to go back by themselves. */
const LIMIT_MS = (2 * TIMEOUT_S + 30 + 60) * 1000;

let all: HostNetwork;
let hostFile: string;
let version = 1;

async function write(): Promise<string> {
  version++;
  const fields = `${HUB_SPOKE}\nversion: ${version}.0.0\ndeployment: { timeout: ${TIMEOUT_S}s }\n`;
  return all.deployment.write("team.yaml", fourAgents(JOB, fields));
}

beforeAll(async () => {
  all = await startHostNetwork(2);
  hostFile = await all.hostFile(2);
  await all.deployment.succeed("deploy", await write(), "--hosts", hostFile);
});
afterAll(async () => all[Symbol.asyncDispose]());

const ask = async () => Answer.parse(await all.deployment.json("query", JOB, "What is a Durable Object?"));

test.each(STEPS)(
  "a deployment that loses all hosts at '%s' leaves one whole release that answers, and the next one succeeds",
  async (step) => {
    const file = await write();
    const command = await deploySlowly(all, JOB, file, "--hosts", hostFile);
    const reached = await command.reaches(step);
    await all.network.leave();
    const begun = Date.now();
    const { code, stderr } = await command.outcome;
    const endedMs = Date.now() - begun;
    await all.network.comeBack();
    const release = await sameRelease(all, JOB, LIMIT_MS);
    const wholeMs = Date.now() - begun;
    expect((await ask()).state).toBe("completed");
    const tries = { count: 0 };
    const again = async () => {
      tries.count++;
      const outcome = await all.deployment.troupe("deploy", file, "--hosts", hostFile);
      if (outcome.code !== 0) console.log(outcome.stderr);
      return outcome.code === 0 ? true : undefined;
    };
    await eventually(again, LIMIT_MS, "the job is deployed");
    console.log(
      `${step}: ${reached ? "" : "not seen, "}exit ${code} after ${endedMs / 1000} s, release ${release} whole after ${wholeMs / 1000} s, ${tries.count} more deploys\n${stderr}`,
    );
    expect((await ask()).state).toBe("completed");
  },
);
