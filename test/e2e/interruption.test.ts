// Questions that end early: Ctrl-C, a timeout, a failing model. The task must not go on without anyone waiting for it.
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { Deployment, eventually } from "../support/deployment.ts";
import { Status } from "./shapes.ts";

const Tasks = z.object({ tasks: z.array(z.object({ status: z.object({ state: z.string() }) })) });

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

async function taskStates(url: string): Promise<string[]> {
  const response = await fetch(`${url}/tasks`, { headers: { "A2A-Version": "1.0" } });
  return Tasks.parse(await response.json()).tasks.map(({ status }) => status.state);
}

test("Ctrl-C cancels the task and exits with 130", { skip: process.platform === "win32" }, async () => {
  const url = await deploy("slow", "{ ttft: 60s }");
  const { process: child, outcome } = deployment.start("query", "slow", "hello");
  await eventually(async () => ((await taskStates(url)).length > 0 ? true : undefined), 10_000, "a task begins");
  child.kill("SIGINT");
  expect((await outcome).code).toBe(130);
  expect(await taskStates(url)).toEqual(["TASK_STATE_CANCELED"]);
});

test("--timeout cancels the task and exits with 1", async () => {
  const url = await deploy("late", "{ ttft: 60s }");
  const { code, stderr } = await deployment.troupe("query", "late", "hello", "--timeout", "1s");
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining("There was no answer within 1 s; the task was canceled."),
  ]);
  expect(await taskStates(url)).toEqual(["TASK_STATE_CANCELED"]);
});

test("a failed task exits with 1 and says why", async () => {
  await deploy("refused", '{ fault: "401" }');
  const { code, stdout, stderr } = await deployment.troupe("query", "refused", "hello");
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("The task ended as failed: ");
  expect(stderr).toContain("401");
});

test("a job that does not run is said to, with what to type", async () => {
  await deploy("resting", "{}");
  await deployment.succeed("stop", "resting");
  const { code, stderr } = await deployment.troupe("query", "resting", "hello");
  expect([code, stderr]).toEqual([1, "resting does not run.\nStart it again: troupe restart resting\n"]);
});
