// Questions that end early: Ctrl-C, a timeout, a failing model. The task must not go on without anyone waiting for it.
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { jobLayout } from "../../scripts/targets/local/state/layout.ts";
import { Deployment, eventually, signalProcess } from "../support/deployment.ts";
import type { Running } from "../support/deployment.ts";
import { Status } from "./shapes.ts";

const Tasks = z.object({ tasks: z.array(z.object({ status: z.object({ state: z.string() }) })) });

const isWindows = process.platform === "win32";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
});
afterAll(async () => deployment.close());

async function deploy(name: string, offline: string): Promise<string> {
  const job = `name: ${name}\nagents: [{ id: coordinator }]\ntopology: { type: mesh }\nmodel: { provider: offline, offline: ${offline} }\n`;
  await deployment.succeed("deploy", await deployment.write(`${name}.yaml`, job));
  return Status.parse(await deployment.json("status", name)).agents[0]?.url ?? "";
}

const CANCELED = "TASK_STATE_CANCELED";

async function taskStates(url: string): Promise<string[]> {
  const response = await fetch(`${url}/tasks`, { headers: { "A2A-Version": "1.0" } });
  return Tasks.parse(await response.json()).tasks.map(({ status }) => status.state);
}

describe("a question to an agent that thinks for a minute", () => {
  let url: string;
  beforeAll(async () => {
    url = await deploy("slow", "{ ttft: 60s }");
  });
  afterAll(async () => deployment.succeed("stop", "slow"));

  /** Puts a question; resolves once its task works. */
  async function asked(ask: (...args: string[]) => Running): Promise<Running> {
    const running = ask("query", "slow", "hello");
    const works = async () => (await taskStates(url)).includes("TASK_STATE_WORKING") || undefined;
    await eventually(works, 10_000, "a task begins");
    return running;
  }
  const start = (...args: string[]) => deployment.start(...args);
  const startUnderOldNode = (...args: string[]) => deployment.startUnderOldNode(...args);

  /** Runs `work`, after which there has to be one task more, and all are canceled. */
  async function expectCanceled(work: () => Promise<void>): Promise<void> {
    const before = await taskStates(url);
    await work();
    expect(await taskStates(url)).toEqual(Array.from({ length: before.length + 1 }, () => CANCELED));
  }

  test("is canceled by Ctrl-C, which exits with 130", { skip: isWindows }, async () => {
    await expectCanceled(async () => {
      const { process: child, outcome } = await asked(start);
      child.kill("SIGINT");
      expect((await outcome).code).toBe(130);
    });
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)(
    "is canceled by %s to the wrapper alone, which ends the command with %i",
    { skip: isWindows },
    async (signal, code) => {
      await expectCanceled(async () => {
        const { process: wrapper, outcome } = await asked(startUnderOldNode);
        wrapper.kill(signal);
        // The output ends when the command has ended too.
        expect((await outcome).code).toBe(code);
      });
    },
  );

  test("is canceled when its wrapper is killed, which takes the command with it", { skip: isWindows }, async () => {
    await expectCanceled(async () => {
      const { process: wrapper } = await asked(startUnderOldNode);
      wrapper.kill("SIGKILL");
      const areCanceled = async () => (await taskStates(url)).every((state) => state === CANCELED) || undefined;
      expect(await eventually(areCanceled, 10_000, "the task is canceled")).toBe(true);
    });
  });

  test("is canceled once by a Ctrl-C that comes to wrapper and command at once", { skip: isWindows }, async () => {
    await expectCanceled(async () => {
      const { process: wrapper, outcome } = await asked(startUnderOldNode);
      signalProcess(-(wrapper.pid ?? 0), "SIGINT");
      expect((await outcome).code).toBe(130);
    });
  });

  test("is canceled after --timeout, which exits with 1", async () => {
    await expectCanceled(async () => {
      const { code, stderr } = await deployment.troupe("query", "slow", "hello", "--timeout", "1s");
      const words = expect.stringContaining("There was no answer within 1 s; the task was canceled.") as unknown;
      expect([code, stderr]).toEqual([1, words]);
    });
  });
});

test("a deployment that is interrupted leaves nothing new, and no lock", { skip: isWindows }, async () => {
  const job = "name: halted\nagents: [{ id: coordinator }]\ntopology: { type: mesh }\n";
  const path = await deployment.write("halted.yaml", job);
  const { lock, folder } = jobLayout(join(deployment.home, ".troupe"), "halted");
  const { process: wrapper, outcome } = deployment.startUnderOldNode("deploy", path);
  await eventually(async () => (existsSync(lock) ? true : undefined), 10_000, "the deployment begins");
  wrapper.kill("SIGTERM");
  expect((await outcome).code).toBe(143);
  expect([existsSync(lock), existsSync(join(folder, "state.json"))]).toEqual([false, false]);
});

test("a failed task exits with 1 and says why", async () => {
  await deploy("refused", '{ fault: "401" }');
  const { code, stdout, stderr } = await deployment.troupe("query", "refused", "hello");
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("The task ended as failed: ");
  expect(stderr).toContain("401");
  const asJson = await deployment.troupe("query", "refused", "hello", "--json");
  expect([asJson.code, JSON.parse(asJson.stdout)]).toEqual([
    1,
    expect.objectContaining({ state: "failed", reason: expect.stringContaining("401") as unknown }),
  ]);
});

test("a deployed job is known by its file's path as well, and is cleaned up alone when it is named", async () => {
  await deploy("here", "{}");
  await deploy("there", "{}");
  const path = join(deployment.home, "here.yaml");
  expect(Status.parse(await deployment.json("status", path)).job).toBe("here");
  expect(await deployment.succeed("query", path, "hello")).not.toBe("");
  expect(await deployment.succeed("stop", path)).toContain("here is stopped.");
  expect(await deployment.succeed("validate", "here")).toBe("here.yaml: ok\n");
  await rm(path);
  expect(await deployment.troupe("deploy", "here")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^The job "here" was deployed from here\.yaml, which is gone\.\nStart .* restart here\n$/,
    ) as unknown,
  });
  await deployment.succeed("stop", "there");
  expect(await deployment.troupe("restart", "nowhere.yaml")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^No job was deployed from nowhere\.yaml\.\nDeploy it: .* deploy nowhere\.yaml\n$/,
    ) as unknown,
  });
  expect(await deployment.succeed("cleanup", "here", "--older-than", "0s")).toMatch(/^Removed here: [^\n]*\n$/);
  const { jobs } = z.object({ jobs: z.array(z.object({ job: z.string() })) }).parse(await deployment.json("list"));
  expect(jobs.map(({ job }) => job)).toContain("there");
  expect(jobs.map(({ job }) => job)).not.toContain("here");
});

test("a job that does not run is said to, with what to type", async () => {
  await deploy("resting", "{}");
  await deployment.succeed("stop", "resting");
  const { code, stderr } = await deployment.troupe("query", "resting", "hello");
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^resting does not run\.\nStart it again: node \S+\/scripts\/troupe\.mjs restart resting\n$/),
  ]);
});
