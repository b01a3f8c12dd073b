// Jobs on Cloudflare: the real command line and the real wrangler, against an account on this machine.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { type CloudflareEmulator, startCloudflare } from "../../support/cloudflare/emulator.ts";
import { Deployment, eventually } from "../../support/deployment.ts";
import { Answer, Status } from "../shapes.ts";

const QUESTION = "What is a Durable Object?";
const LIMIT_MS = 60_000;
const SCRIPT = "/accounts/:account/workers/scripts/:name";
const UPLOAD = `PUT ${SCRIPT}`;
const VERSION = `POST ${SCRIPT}/versions`;
const SWITCH = `POST ${SCRIPT}/deployments`;

const Traces = z.object({ traces: z.array(z.object({ traceId: z.string(), agents: z.array(z.string()) })) });

const team = (name: string, rest = "") => `name: ${name}
agents: [{ id: coordinator }, { id: searcher }, { id: summarizer }, { id: fact_checker }]
topology: { type: hub-spoke, hub: coordinator, spokes: [searcher, summarizer, fact_checker] }
deployment: { target: cloudflare, timeout: 20s }
${rest}
`;
const circle = (description: string) => `name: circle
agents: [{ id: summarizer, description: "${description}" }, { id: searcher, description: "${description}" }]
topology: { type: mesh }
execution: { entry_point: summarizer }
deployment: { target: cloudflare, timeout: 20s }
`;
const changed = (name: string, version: string) => team(name, `version: ${version}`);

let cloudflare: CloudflareEmulator;
let deployment: Deployment;

const deploy = async (text: string, ...flags: string[]) =>
  deployment.troupe("deploy", await deployment.write("job.yaml", text), ...flags);
const ask = async (job: string, ...flags: string[]) =>
  Answer.parse(await deployment.json("query", job, QUESTION, ...flags));
const status = async (job: string) => Status.parse(await deployment.json("status", job));
/** Worker → its running version. */
const running = (prefix: string) =>
  Object.fromEntries(
    cloudflare
      .workers()
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name, deployments }) => [name, deployments[0]?.versions.map(({ version_id }) => version_id)]),
  );
const writes = () => cloudflare.calls.filter(({ call }) => !call.startsWith("GET ")).length;

beforeAll(async () => {
  cloudflare = await startCloudflare();
  deployment = await Deployment.create(cloudflare.environment);
}, 60_000);
afterEach(() => {
  cloudflare.clearFaults();
});
afterAll(async () => {
  await deployment.close({ unchecked: true });
  await cloudflare[Symbol.asyncDispose]();
});

describe("a job on Cloudflare", () => {
  let contextId: string;
  let first: ReturnType<typeof running>;

  test("has a Worker for each agent, which answer a question with one trace", async () => {
    expect(await deploy(team("team"))).toMatchObject({ code: 0 });
    const { target, state, agents } = await status("team");
    expect({ target, state }).toEqual({ target: "cloudflare", state: "running" });
    expect(agents.map(({ id, place, state: own, url }) => [id, place, own, url])).toEqual(
      ["coordinator", "searcher", "summarizer", "fact_checker"].map((id) => [
        id,
        "cloudflare",
        "alive",
        `https://troupe-team-${id.replace("_", "-")}.${cloudflare.subdomain}.workers.dev`,
      ]),
    );
    const answer = await ask("team");
    expect(answer.answer).toContain("Durable Object");
    const traces = await eventually(
      async () => {
        const { traces: found } = Traces.parse(await deployment.json("traces", "list", "team"));
        return found[0]?.agents.length === 4 ? found : undefined;
      },
      LIMIT_MS,
      "the trace has spans of all agents",
    );
    expect(traces.map(({ traceId }) => traceId)).toEqual([answer.traceId]);
    ({ contextId } = answer);
  });

  test("is deployed again without a write when nothing has changed", async () => {
    first = running("troupe-team-");
    const before = writes();
    expect(await deploy(team("team"))).toMatchObject({ code: 0 });
    expect([writes(), running("troupe-team-")]).toEqual([before, first]);
  });

  test("gets a new version of the agent that has changed, and of no other", async () => {
    const text = team("team").replace("{ id: searcher }", "{ id: searcher, name: Another Name }");
    expect(await deploy(text)).toMatchObject({ code: 0 });
    const now = running("troupe-team-");
    const others = Object.keys(first).filter((name) => JSON.stringify(now[name]) !== JSON.stringify(first[name]));
    expect(others).toEqual(["troupe-team-searcher"]);
    expect((await ask("team", "--session", contextId)).taskId).toContain(`${contextId}.2.`);
  });

  test("goes back to the versions of the release before, with its sessions", async () => {
    await deployment.succeed("rollback", "team");
    expect(running("troupe-team-")).toEqual(first);
    expect((await ask("team", "--session", contextId)).taskId).toContain(`${contextId}.3.`);
  });

  test("has no address while it is stopped", async () => {
    await deployment.succeed("stop", "team");
    expect((await status("team")).state).toBe("stopped");
    expect(cloudflare.workers().find(({ name }) => name === "troupe-team-coordinator")?.isPublic).toBe(false);
    await deployment.succeed("restart", "team");
    expect((await ask("team", "--session", contextId)).taskId).toContain(`${contextId}.4.`);
    await deployment.succeed("stop", "team");
    expect(await deploy(team("team"))).toMatchObject({ code: 0 });
    expect((await ask("team", "--session", contextId)).taskId).toContain(`${contextId}.5.`);
  });

  describe("that fails to change", () => {
    test.each([
      { call: VERSION, how: { status: 500 }, times: 20 },
      { call: SWITCH, how: "drop-after", times: 1 },
    ] as const)("at $call ($how) is as it was, and answers", async (fault) => {
      const before = running("troupe-team-");
      cloudflare.fail({ ...fault, worker: "troupe-team-summarizer" });
      const failed = await deploy(changed("team", "3.0.0").replaceAll("{ id: s", "{ name: New, id: s"));
      cloudflare.clearFaults();
      expect(failed.code).toBe(1);
      expect(failed.stderr).toContain("The former release runs again; no session was lost.");
      expect(running("troupe-team-")).toEqual(before);
      expect((await ask("team", "--session", contextId)).state).toBe("completed");
    });
  });
});

describe("a first deployment that fails", () => {
  test("leaves nothing of the job in the account", async () => {
    cloudflare.fail({ call: UPLOAD, worker: "troupe-late-coordinator", how: { status: 500 }, times: 20 });
    const failed = await deploy(team("late"));
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("Nothing of it is left in the account.");
    expect(running("troupe-late-")).toEqual({});
  });
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

test("nothing was asked of Cloudflare that it does not know", () => {
  expect(cloudflare.unknownCalls).toEqual([]);
});
