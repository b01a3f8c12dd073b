// Files that a crash, a full disk or another program has damaged: named, set aside, and no reason for anything else to stop.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, open, readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import { findControlPlane } from "../../scripts/targets/local/control-plane/control-plane.ts";
import { controlPlaneLayout, jobLayout } from "../../scripts/targets/local/state/layout.ts";
import { registeredAgents } from "../../scripts/targets/local/control-plane/registry.ts";
import { ControlPlaneState, readState } from "../../scripts/targets/local/state/state.ts";
import { processStatus } from "../../scripts/targets/local/processes/supervisor.ts";
import { connect, saying, send, tasksOf } from "../support/a2a-client.ts";
import { Deployment, eventually, signalProcess } from "../support/deployment.ts";
import { Status } from "./shapes.ts";

const GARBAGE = Buffer.alloc(4096, "garbage");
const LIMIT_MS = 10_000;
const CLI = join(import.meta.dirname, "../../scripts/troupe.mjs");

let deployment: Deployment;
let home: string;
const files = new Map<string, string>();
beforeAll(async () => {
  deployment = await Deployment.create();
  home = join(deployment.home, ".troupe");
  for (const name of ["one", "two"]) {
    const job = `name: ${name}\nagents: [{ id: summarizer }]\ntopology: { type: mesh }\n`;
    files.set(name, await deployment.write(`${name}.yaml`, job));
    await deployment.succeed("deploy", files.get(name) ?? "");
  }
});
afterAll(async () => deployment.close({ unchecked: true }));

async function statusOf(job: string) {
  return Status.parse(await deployment.json("status", job));
}

/** Overwrites the first page, and the log that may hold it. */
async function damage(path: string): Promise<void> {
  for (const name of [path, `${path}-wal`].filter((each) => existsSync(each))) {
    const file = await open(name, "r+");
    await file.write(GARBAGE, 0, GARBAGE.length, 0);
    await file.close();
  }
}

async function databases(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(".sqlite")).map((name) => join(folder, name));
}

test("the control plane that is killed is started again by itself, with its registry", async () => {
  const { registry } = controlPlaneLayout(home);
  signalProcess((await processStatus(registry)).pid, "SIGKILL");
  const isBack = async () => {
    const controlPlane = await findControlPlane(home);
    const agents = controlPlane && (await registeredAgents(controlPlane, "one"));
    return agents?.length === 1 || undefined;
  };
  await eventually(isBack, LIMIT_MS, "the registry answers again");
  const { shared } = await statusOf("one");
  expect(shared.map(({ name, restarts }) => [name, restarts])).toEqual([
    ["control-plane", 1],
    ["offline-model", 0],
  ]);
});

test("damaged sessions, alarms and registries are set aside by a restart and named; all else goes on", async () => {
  const [agent] = (await statusOf("one")).agents;
  const client = await connect(agent?.url ?? "");
  for (const text of ["hello", "hello again"]) await send(client, saying(text));
  expect(await tasksOf(client)).toHaveLength(2);
  await deployment.succeed("stop", "one");
  const sessions = join(jobLayout(home, "one").data, "summarizer", "agent-summarizer-Session");
  const [session = ""] = (await databases(sessions)).filter((path) => !path.endsWith("metadata.sqlite"));
  const registries = await databases(join(controlPlaneLayout(home).registry.data, "control-plane-Registry"));
  const damaged = [session, join(sessions, "metadata.sqlite"), ...registries];
  for (const path of damaged) await damage(path);

  const { code, stderr } = await deployment.troupe("restart", "one");
  expect([code, damaged.filter((path) => !stderr.includes(`The database ${path} is damaged`))]).toEqual([0, []]);
  expect(await tasksOf(await connect(agent?.url ?? ""))).toHaveLength(1);
  const heard = async () => {
    const [other] = (await statusOf("two")).agents;
    return other?.state === "alive" || undefined;
  };
  await eventually(heard, LIMIT_MS, "the other job registers again by itself");
});

test("a job whose state is damaged is skipped by list and named; it can be stopped, and deployed again", async () => {
  const { state } = jobLayout(home, "one");
  await truncate(state, 20);
  const { code, stdout, stderr } = await deployment.troupe("list", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    jobs: expect.arrayContaining([
      expect.objectContaining({ job: "one", state: "damaged" }),
      expect.objectContaining({ job: "two", state: "running" }),
    ]) as unknown,
  });
  expect(stderr).toMatch(/^one: .*state\.json is damaged: /);
  expect(stderr).toContain("deploy again");
  expect((await statusOf("two")).state).toBe("running");
  expect(await deployment.succeed("stop", "one")).toContain("one is stopped.");
  const deployed = await deployment.troupe("deploy", files.get("one") ?? "");
  expect([deployed.code, deployed.stderr]).toEqual([0, expect.stringContaining("was set aside as")]);
  expect((await statusOf("one")).state).toBe("running");
});

test("a damaged state and an empty secret of the control plane stop no deployment, and open nothing", async () => {
  const { state, secret } = controlPlaneLayout(home);
  const { port } = (await readState(state, ControlPlaneState)) ?? {};
  await truncate(state, 5);
  await writeFile(secret, "");
  const { code, stderr } = await deployment.troupe("deploy", files.get("one") ?? "");
  expect([code, stderr]).toEqual([0, expect.stringContaining(`${secret} is damaged (0 characters`)]);
  const controlPlane = await findControlPlane(home);
  // The other job's agents know this port.
  expect(controlPlane?.port).toBe(port);
  expect(controlPlane?.secret).toMatch(/^[\w-]{43}$/);
  expect((await fetch(`${controlPlane?.url ?? ""}/agents`)).status).toBe(401);
  await deployment.succeed("restart", "two");
  expect((await statusOf("two")).agents.map((agent) => agent.state)).toEqual(["alive"]);
});

test.skipIf(process.platform === "win32")("nothing that was written can be read by other users", async () => {
  const { stdout } = await promisify(execFile)("find", [home, "-perm", "/077"]);
  expect(stdout).toBe("");
});

test.skipIf(process.platform !== "linux")("output that finds no room is said in a sentence", async () => {
  const listing = promisify(execFile)("sh", ["-c", `"${process.execPath}" "${CLI}" list > /dev/full`]);
  await expect(listing).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^The disk of .* is full.*\n.*\n$/) as unknown,
  });
});

test.skipIf(process.getuid?.() !== 0)(
  "where nothing may be written, one sentence says so, and what to do",
  async () => {
    const folder = join(deployment.home, "foreign");
    await promisify(execFile)("mkdir", ["-m", "555", folder]);
    await chmod(deployment.home, 0o755);
    const nobody = { uid: 65_534, gid: 65_534, env: { ...process.env, TROUPE_HOME: join(folder, "x") } };
    const failed = await promisify(execFile)(process.execPath, [CLI, "deploy", files.get("one") ?? ""], nobody).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^.*may not use .*\n.*TROUPE_HOME.*\n$/) as unknown,
    });
  },
);
