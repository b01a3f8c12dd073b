// Jobs on Cloudflare: the real command line and the real wrangler, against an account on this machine.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { type CloudflareEmulator, startCloudflare } from "../../support/cloudflare/emulator.ts";
import { Deployment, eventually } from "../../support/deployment.ts";
import { Answer, Status } from "../shapes.ts";
import { runningOf, team, writesOf } from "./team.ts";

const QUESTION = "What is a Durable Object?";
const LIMIT_MS = 60_000;
const SCRIPT = "/accounts/:account/workers/scripts/:name";
const UPLOAD = `PUT ${SCRIPT}`;
const VERSION = `POST ${SCRIPT}/versions`;
const SWITCH = `POST ${SCRIPT}/deployments`;

const Traces = z.object({ traces: z.array(z.object({ traceId: z.string(), agents: z.array(z.string()) })) });

const changed = (name: string, version: string) => team(name, `version: ${version}`);

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

test("nothing was asked of Cloudflare that it does not know", () => {
  expect(cloudflare.unknownCalls).toEqual([]);
});
