// Deployments over time: killed, replaced, failed, side by side, stopped.
import { mkdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";

import { TRACE_SETTINGS } from "#shared/tracing/settings.ts";

import { buildWorkers } from "../../scripts/project/build.ts";
import { terminal } from "../../scripts/terminal/io.ts";
import { ensureControlPlane, findControlPlane } from "../../scripts/targets/local/control-plane/control-plane.ts";
import { controlPlaneLayout } from "../../scripts/targets/local/state/layout.ts";
import { identify } from "../../scripts/targets/local/state/process.ts";
import { Deployment, eventually, signalProcess } from "../support/deployment.ts";
import { Answer, fourAgents, HUB_SPOKE, NEVER, Status } from "./shapes.ts";

const SEARCHER = "name: gone\nagents: [{ id: searcher }]\ntopology: { type: mesh }\n";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create();
});
afterAll(async () => deployment.close());

async function statusOf(job: string) {
  return Status.parse(await deployment.json("status", job));
}

async function isRunning(pid: number | null): Promise<boolean> {
  return pid !== null && (await identify(pid)) !== undefined;
}

describe("a killed job", () => {
  test("has no agent alive once the lease is over, and comes back with its sessions", async () => {
    const path = await deployment.write("killed.yaml", fourAgents("killed", `${HUB_SPOKE}\n${NEVER}`));
    await deployment.succeed("deploy", path);
    const { contextId } = Answer.parse(await deployment.json("query", "killed", "What is MCP?"));
    const { pid } = await statusOf("killed");
    signalProcess(pid, "SIGKILL");
    const dead = await eventually(
      async () => {
        const { agents } = await statusOf("killed");
        return agents.some(({ state }) => state === "alive") ? undefined : agents;
      },
      3_000,
      "no agent of the killed job is alive",
    );
    expect(dead).toHaveLength(4);

    await deployment.succeed("restart", "killed");
    const next = Answer.parse(await deployment.json("query", "killed", "And A2A?", "--session", contextId));
    expect(next.taskId).toContain(`${contextId}.2.`);
    await deployment.succeed("stop", "killed");
  });

  test("with a process an agent loses only the agent that was killed", async () => {
    const path = await deployment.write("alone.yaml", fourAgents("alone", `${HUB_SPOKE}\nisolation: agent\n${NEVER}`));
    await deployment.succeed("deploy", path);
    const before = await statusOf("alone");
    const victim = before.agents.find(({ id }) => id === "summarizer");
    signalProcess(victim?.pid, "SIGKILL");
    const states = await eventually(
      async () => {
        const { agents } = await statusOf("alone");
        return agents.find(({ id }) => id === "summarizer")?.state === "alive" ? undefined : agents;
      },
      3_000,
      "the killed agent is not alive",
    );
    expect(states.filter(({ state }) => state === "alive").map(({ id }) => id)).toEqual([
      "coordinator",
      "searcher",
      "fact_checker",
    ]);
    await deployment.succeed("stop", "alone");
  });
});

describe("a second deployment", () => {
  test("replaces the first, on the same ports and with its sessions", async () => {
    const path = await deployment.write("twice.yaml", fourAgents("twice", HUB_SPOKE));
    await deployment.succeed("deploy", path);
    const first = await statusOf("twice");
    const { contextId } = Answer.parse(await deployment.json("query", "twice", "What is MCP?"));
    await deployment.succeed("deploy", path);
    const second = await statusOf("twice");
    expect(second.agents.map(({ url }) => url)).toEqual(first.agents.map(({ url }) => url));
    expect(second.pid).not.toBe(first.pid);
    expect(await isRunning(first.pid)).toBe(false);
    const next = Answer.parse(await deployment.json("query", "twice", "And A2A?", "--session", contextId));
    expect(next.taskId).toContain(`${contextId}.2.`);
    await deployment.succeed("stop", "twice");
  });

  test("at the same time waits for the first", async () => {
    const path = await deployment.write("race.yaml", fourAgents("race", HUB_SPOKE));
    const outcomes = await Promise.all([deployment.troupe("deploy", path), deployment.troupe("deploy", path)]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
    expect(outcomes.map(({ stderr }) => stderr).join("")).toContain("waiting for it");
    const { agents } = await statusOf("race");
    expect(agents.every(({ state }) => state === "alive")).toBe(true);
    await deployment.succeed("stop", "race");
  });

  test("that does not get healthy gives way to the first again", async () => {
    const good = await deployment.write("back.yaml", fourAgents("back", HUB_SPOKE));
    await deployment.succeed("deploy", good);
    const bad = await deployment.write("bad.yaml", fourAgents("back", `${HUB_SPOKE}\ndeployment: { timeout: 1ms }`));
    const { code, stderr } = await deployment.troupe("deploy", bad);
    expect(code).toBe(1);
    expect(stderr).toContain("The former release runs again");
    const { state, agents } = await statusOf("back");
    expect(state).toBe("running");
    expect(agents.every((agent) => agent.state === "alive")).toBe(true);
    await deployment.succeed("stop", "back");
  });
});

describe("a model that fails", () => {
  test("five times in a row is left alone by the agent, and status says so, in words and in JSON", async () => {
    const job = SEARCHER.replace("gone", "failing");
    const path = await deployment.write(
      "failing.yaml",
      `${job}model: { provider: offline, offline: { fault: "529" } }\n`,
    );
    await deployment.succeed("deploy", path);
    expect((await statusOf("failing")).agents[0]?.breakers).toEqual([]);
    const queries = await Promise.all(
      Array.from({ length: 5 }, async () => deployment.troupe("query", "failing", "hi")),
    );
    for (const { code, stderr } of queries) expect([code, stderr]).toEqual([1, expect.stringContaining("(529)")]);
    const times = { openSince: expect.any(String) as unknown, openUntil: expect.any(String) as unknown };
    expect((await statusOf("failing")).agents[0]?.breakers).toEqual([
      { target: "model:offline", state: "open", failures: 5, ...times },
    ]);
    expect(await deployment.succeed("status", "failing")).toMatch(
      /\n {4}model offline: circuit open since \S+Z, 5 failures in a row, tried again (?:in \d s|with the next call)\n$/,
    );
    await deployment.succeed("stop", "failing");
  });
});

describe("ports", () => {
  test("one that another program has is named, and nothing is started", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const job = `name: taken\nagents: [{ id: searcher, port: ${port} }]\ntopology: { type: mesh }\n`;
    const { code, stderr } = await deployment.troupe("deploy", await deployment.write("taken.yaml", job));
    expect(code).toBe(1);
    expect(stderr).toContain(`Port ${port} of the agent searcher is in use by another program.`);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("stopping", () => {
  test("the last job stops the control plane, an earlier one does not", async () => {
    const own = await Deployment.create();
    onTestFinished(async () => own.close());
    const jobs = await Promise.all(
      ["one", "two"].map(async (name) => own.write(`${name}.yaml`, fourAgents(name, HUB_SPOKE))),
    );
    for (const job of jobs) await own.succeed("deploy", job);
    const pids = (
      await Promise.all(["one", "two"].map(async (job) => Status.parse(await own.json("status", job))))
    ).map(({ pid }) => pid);
    expect(new Set(pids).size).toBe(2);
    await own.succeed("stop", "one");
    const { agents } = Status.parse(await own.json("status", "two"));
    expect(agents.every(({ state }) => state === "alive")).toBe(true);
    await own.succeed("stop", "two");
    const stopped = Status.parse(await own.json("status", "two"));
    expect([stopped.pid, stopped.state]).toEqual([null, "stopped"]);
    expect(await Promise.all(pids.map(isRunning))).toEqual([false, false]);
  });

  test("cleanup removes what was stopped, and shows it first with --dry-run", async () => {
    const path = await deployment.write("gone.yaml", fourAgents("gone", HUB_SPOKE));
    await deployment.succeed("deploy", path);
    expect(await deployment.succeed("cleanup", "--older-than", "0s", "--dry-run")).not.toContain("gone:");
    await deployment.succeed("stop", "gone");
    expect(await deployment.succeed("cleanup", "--older-than", "0s", "--dry-run")).toContain("Would remove gone:");
    expect(await deployment.succeed("cleanup", "--older-than", "0s")).toContain("Removed gone:");
    const { code, stderr } = await deployment.troupe("status", "gone");
    expect([code, stderr]).toEqual([2, expect.stringContaining('There is no job "gone".')]);
    await deployment.succeed("deploy", path);
    expect(await (await deployment.traces("gone")).list("deploy")).toHaveLength(1);
  });

  test("cleanup stops the control plane again, and goes on without one when it cannot be started", async () => {
    const own = await Deployment.create();
    onTestFinished(async () => own.close());
    const path = await own.write("gone.yaml", SEARCHER);
    const home = join(own.home, ".troupe");
    const { config } = controlPlaneLayout(home).registry;
    const deployAndStop = async () => {
      await own.succeed("deploy", path);
      await own.succeed("stop", "gone");
    };
    await deployAndStop();
    await own.succeed("cleanup", "--older-than", "0s");
    expect(await findControlPlane(home)).toBeUndefined();

    await deployAndStop();
    await rm(config);
    await mkdir(join(config, "in-its-place"), { recursive: true });
    expect(await own.troupe("cleanup", "--older-than", "0s")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Removed gone: /) as unknown,
      stderr: expect.stringContaining("The traces of gone are kept until they expire: ") as unknown,
    });
    await rm(config, { recursive: true });
  });
});

test("the control plane is not started anew by a shell without its settings of traces, but by one that takes them back", async () => {
  const own = await Deployment.create({ TROUPE_TRACES_SLOW: "5s" });
  onTestFinished(async () => own.close());
  onTestFinished(() => void vi.unstubAllEnvs());
  await own.succeed("deploy", await own.write("gone.yaml", SEARCHER));
  const home = join(own.home, ".troupe");
  const { bundles } = await buildWorkers(home);
  const started = async (): Promise<unknown> => {
    await ensureControlPlane(home, bundles, terminal(new AbortController().signal));
    return JSON.parse(await readFile(controlPlaneLayout(home).state, "utf8"));
  };
  const before: unknown = JSON.parse(await readFile(controlPlaneLayout(home).state, "utf8"));
  for (const name of TRACE_SETTINGS) vi.stubEnv(name, undefined);
  expect(await started()).toEqual(before);
  vi.stubEnv("TROUPE_TRACES_SLOW", "");
  expect(await started()).not.toEqual(before);
});
