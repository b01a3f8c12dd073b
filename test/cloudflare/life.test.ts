// What a job on Cloudflare lives through: stops, changes under way, killed commands.
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { type CloudflareEmulator, startCloudflare } from "../support/cloudflare/emulator.ts";
import { Deployment, eventually } from "../support/deployment.ts";
import { Answer, Status } from "../e2e/shapes.ts";
import { runningOf, team, writesOf } from "../e2e/cloudflare/team.ts";

const QUESTION = "What is a Durable Object?";
const LIMIT_MS = 60_000;

const Traces = z.object({ traces: z.array(z.object({ traceId: z.string(), agents: z.array(z.string()) })) });

const circle = (description: string) => `name: circle
agents: [{ id: summarizer, description: "${description}" }, { id: searcher, description: "${description}" }]
topology: { type: mesh }
execution: { entry_point: summarizer }
deployment: { target: cloudflare, timeout: 20s }
`;

let cloudflare: CloudflareEmulator;
let deployment: Deployment;

const deploy = async (text: string, ...flags: string[]) =>
  deployment.troupe("deploy", await deployment.write("job.yaml", text), ...flags);
const ask = async (job: string, ...flags: string[]) =>
  Answer.parse(await deployment.json("query", job, QUESTION, ...flags));
const status = async (job: string) => Status.parse(await deployment.json("status", job));
const running = (prefix: string) => runningOf(cloudflare, prefix);
const writes = () => writesOf(cloudflare);

beforeAll(async () => {
  cloudflare = await startCloudflare();
  deployment = await Deployment.create(cloudflare.environment);
}, 60_000);
afterAll(async () => {
  await deployment.close({ unchecked: true });
  await cloudflare[Symbol.asyncDispose]();
});

test("a job has no address while it is stopped", async () => {
  expect(await deploy(team("team"))).toMatchObject({ code: 0 });
  const { contextId } = await ask("team");
  await deployment.succeed("stop", "team");
  expect((await status("team")).state).toBe("stopped");
  expect(cloudflare.workers().find(({ name }) => name === "troupe-team-coordinator")?.isPublic).toBe(false);
  await deployment.succeed("restart", "team");
  expect((await ask("team", "--session", contextId)).taskId).toContain(`${contextId}.2.`);
  await deployment.succeed("stop", "team");
  expect(await deploy(team("team"))).toMatchObject({ code: 0 });
  expect((await ask("team", "--session", contextId)).taskId).toContain(`${contextId}.3.`);
});

test("a question that is under way while all agents change is answered, with one trace", async () => {
  const slow = (version: string) =>
    team(
      "slow",
      `version: ${version}\nenvironment: { RELEASE: "${version}" }\nmodel: { provider: offline, offline: { ttft: 1s } }`,
    );
  expect(await deploy(slow("1.0.0"))).toMatchObject({ code: 0 });
  const before = running("troupe-slow-");
  const asked = ask("slow");
  await eventually(
    async () => ((await status("slow")).agents.some(({ turns }) => (turns?.running ?? 0) > 0) ? true : undefined),
    LIMIT_MS,
    "the question is under way",
  );
  expect(await deploy(slow("2.0.0"))).toMatchObject({ code: 0 });
  const now = running("troupe-slow-");
  expect(Object.keys(now).every((name) => JSON.stringify(now[name]) !== JSON.stringify(before[name]))).toBe(true);
  expect((await asked).state).toBe("completed");
  const { traces } = Traces.parse(await deployment.json("traces", "list", "slow"));
  expect(traces).toHaveLength(1);
});

test("agents that bind each other in a circle are deployed, and answer", async () => {
  expect(await deploy(circle("One description"))).toMatchObject({ code: 0 });
  expect((await ask("circle")).state).toBe("completed");
});

test("a command that is killed leaves the former release, which the next one finds", async () => {
  const before = running("troupe-circle-");
  const file = await deployment.write("job.yaml", circle("Another description"));
  const from = writes();
  const command = deployment.start("deploy", file);
  await eventually(async () => (writes() > from + 1 ? true : undefined), LIMIT_MS, "it uploads");
  command.process.kill("SIGKILL");
  await command.outcome;
  expect((await ask("circle")).state).toBe("completed");
  const next = await deployment.troupe("deploy", file);
  expect(next.stderr).toContain("An earlier change was cut off; bringing back what ran before");
  expect(next.code).toBe(0);
  const now = running("troupe-circle-");
  expect(Object.keys(now).every((name) => JSON.stringify(now[name]) !== JSON.stringify(before[name]))).toBe(true);
});

test("a job that comes back here keeps what is here, and cleanup removes its Workers alone", async () => {
  const home = (target: string) => team("back").replace("target: cloudflare", `target: ${target}`);
  expect(await deploy(home("cloudflare"))).toMatchObject({ code: 0 });
  expect(await deploy(home("local"), "--leave-sessions")).toMatchObject({ code: 0 });
  const { contextId } = await ask("back");
  await deployment.succeed("cleanup", "back", "--older-than", "0s");
  expect(running("troupe-back-")).toEqual({});
  expect((await ask("back", "--session", contextId)).taskId).toContain(`${contextId}.2.`);
});
