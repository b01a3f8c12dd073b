// Jobs on hosts, which real sshds serve: each has an address and a home folder of its own.
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { eventually, signalProcess } from "../support/deployment.ts";
import { noSshd } from "../support/ssh-host.ts";
import { type SshHosts, startSshHosts } from "../support/ssh-hosts.ts";
import { Answer, fourAgents, HUB_SPOKE, Status } from "./shapes.ts";

const JOB = "team";
const QUESTION = "What is a Durable Object?";
const MANY_MS = 60_000;

const Traces = z.object({
  traces: z.array(z.object({ traceId: z.string(), agents: z.array(z.string()), status: z.string() })),
});
const History = z.array(z.object({ release: z.int(), state: z.string() }));

describe.skipIf(noSshd())("a job over two hosts", () => {
  let all: SshHosts;
  let hostFile: string;
  let file: string;

  const write = async (fields = "") => {
    file = await all.deployment.write("team.yaml", fourAgents(JOB, `${HUB_SPOKE}\n${fields}`));
  };
  const deploy = async (...flags: string[]) => all.deployment.troupe("deploy", file, "--hosts", hostFile, ...flags);
  const status = async () => Status.parse(await all.deployment.json("status", JOB));
  const ask = async (...flags: string[]) => Answer.parse(await all.deployment.json("query", JOB, QUESTION, ...flags));
  /** What runs of the job on its hosts. */
  const running = async () => {
    const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "args="], { maxBuffer: 1e7 });
    const folders = all.hosts.map(({ home }) => `${home}/.troupe/jobs/${JOB}/releases/`);
    return stdout.split("\n").filter((line) => folders.some((folder) => line.includes(folder)));
  };
  const release = async (index: number) => {
    const host = all.hosts[index];
    if (host === undefined) throw new Error(`There is no host ${index}`);
    return Number(await readFile(join(all.jobFolder(host, JOB), "current"), "utf8"));
  };

  beforeAll(async () => {
    all = await startSshHosts([
      { homeName: "a home", isFresh: true },
      { homeIsLink: true, umask: "077", banner: "Welcome!" },
    ]);
    hostFile = await all.hostFile(2);
    await write();
    await all.deployment.succeed("deploy", file, "--hosts", hostFile);
  }, 240_000);
  afterAll(async () => all[Symbol.asyncDispose]());

  test("has its agents where the host file deals them, and none on this machine", async () => {
    const { target, state, agents } = await status();
    expect({ target, state, agents: agents.map(({ id, place, state: own }) => [id, place, own]) }).toEqual({
      target: "hosts",
      state: "running",
      agents: [
        ["coordinator", "h1", "alive"],
        ["searcher", "h1", "alive"],
        ["summarizer", "h2", "alive"],
        ["fact_checker", "h2", "alive"],
      ],
    });
    expect(await readdir(join(all.deployment.home, ".troupe", "jobs", JOB))).not.toContain("processes");
  });

  test("answers a question with one trace of all agents, and a second one in the same session", async () => {
    const first = await ask();
    expect(first.answer).toContain("Durable Object");
    const traces = await eventually(
      async () => {
        const { traces: found } = Traces.parse(await all.deployment.json("traces", "list", JOB));
        return found[0]?.agents.length === 4 ? found : undefined;
      },
      MANY_MS,
      "the trace has spans of all agents",
    );
    expect(traces).toHaveLength(1);
    expect(traces[0]).toMatchObject({ traceId: first.traceId, status: "ok" });
    const second = await ask("--session", first.contextId);
    expect(second.taskId).toContain(`${first.contextId}.2.`);
  });

  test("is answered by an agent that crashed a moment before, with its sessions", async () => {
    const { contextId } = await ask();
    const { agents } = await status();
    const victim = agents.find(({ id }) => id === "coordinator");
    signalProcess(victim?.pid, "SIGKILL");
    await eventually(
      async () => {
        const { processes } = await status();
        const own = processes.find(({ place }) => place === "h1");
        return own?.state === "running" && own.restarts > 0 ? own : undefined;
      },
      MANY_MS,
      "the supervisor on h1 has restarted the process",
    );
    expect((await ask("--session", contextId)).taskId).toContain(`${contextId}.2.`);
  });

  test("tells a host that does not answer from an agent that is dead", async () => {
    const [, second] = all.hosts;
    await second?.stop();
    try {
      const { state, agents } = await status();
      expect({ state, agents: agents.map(({ id, state: own }) => [id, own]) }).toEqual({
        state: "degraded",
        agents: [
          ["coordinator", "alive"],
          ["searcher", "alive"],
          ["summarizer", "unreachable"],
          ["fact_checker", "unreachable"],
        ],
      });
    } finally {
      await second?.start();
    }
  });

  test("says where the control plane is when its host does not answer", async () => {
    const [first] = all.hosts;
    await first?.stop();
    try {
      const said = await all.deployment.succeed("status", JOB);
      expect(said).toContain("The control plane is on h1, which does not answer");
      expect(said).toMatch(/coordinator +unreachable +h1/);
    } finally {
      await first?.start();
    }
  });

  test("is refused, with the ways that are missing, where its machines do not reach each other", async () => {
    const before = await release(0);
    const wrong = await all.deployment.write(
      "wrong",
      "h1 slots=2 address=127.0.0.1\nh2 slots=2 address=255.255.255.255\n",
    );
    await write("version: 1.5.0\ndeployment: { timeout: 20s }");
    const { code, stderr } = await all.deployment.troupe("deploy", file, "--hosts", wrong);
    expect(code).toBe(1);
    expect(stderr).toContain("The agent coordinator cannot ask summarizer: ");
    expect(stderr).toContain("The agent coordinator cannot ask fact_checker: ");
    expect(await release(0)).toBe(before);
    expect((await ask()).state).toBe("completed");
    await write();
  });

  test("is deployed again without a byte when nothing has changed", async () => {
    const before = await release(0);
    expect((await deploy()).code).toBe(0);
    expect([await release(0), await release(1)]).toEqual([before, before]);
  });

  test("keeps its release where the next one does not get healthy, and a question is answered", async () => {
    const before = await release(0);
    const { contextId } = await ask();
    await write("deployment: { timeout: 1ms }");
    const failed = await deploy();
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("was not healthy within 0.001 s");
    expect([await release(0), await release(1)]).toEqual([before, before]);
    expect((await ask("--session", contextId)).taskId).toContain(`${contextId}.2.`);
    const folders = all.hosts.map(async (host) => readdir(all.jobFolder(host, JOB)));
    expect((await Promise.all(folders)).flat()).not.toContain("proof");
  });

  test("goes on to a new release with its sessions, and back", async () => {
    const before = await release(0);
    const { contextId } = await ask();
    await write("tags: [changed]\nversion: 2.0.0");
    expect((await deploy()).code).toBe(0);
    const after = await release(0);
    expect([after > before, await release(1)]).toEqual([true, after]);
    expect((await ask("--session", contextId)).taskId).toContain(`${contextId}.2.`);
    await all.deployment.succeed("rollback", JOB);
    expect([await release(0), await release(1)]).toEqual([before, before]);
    expect((await ask("--session", contextId)).taskId).toContain(`${contextId}.3.`);
    const history = History.parse(await all.deployment.json("history", JOB));
    expect(
      history.filter(({ state }) => state !== "failed").map(({ release: number, state }) => [number, state]),
    ).toEqual([
      [after, "former"],
      [before, "current"],
    ]);
  });

  test("goes back by itself when the command is killed while the releases change", async () => {
    await write("version: 3.0.0");
    const command = all.deployment.start("deploy", file, "--hosts", hostFile);
    const swaps = all.hosts.map((host) => join(all.jobFolder(host, JOB), "swap", "said"));
    const said = async () => Promise.all(swaps.map(async (path) => readFile(path, "utf8").catch(() => "")));
    const before = await release(0);
    const forgotten = await said();
    await eventually(
      async () => ((await said()).every((text, host) => text !== forgotten[host]) ? true : undefined),
      MANY_MS,
      "the release changes on both hosts",
    );
    command.process.kill("SIGKILL");
    await command.outcome;
    await eventually(
      async () => ((await said()).every((text) => text.startsWith("back")) ? true : undefined),
      MANY_MS,
      "the hosts have gone back",
    );
    expect([await release(0), await release(1)]).toEqual([before, before]);
    await eventually(
      async () => ((await running()).every((line) => line.includes(`/releases/${before}/`)) ? true : undefined),
      MANY_MS,
      "only the former release runs",
    );
    expect((await ask()).state).toBe("completed");
    expect(await deploy()).toMatchObject({ code: 0 });
    expect((await ask()).state).toBe("completed");
  });

  test("shows the logs of both hosts in the order of their times", async () => {
    const logs = (await all.deployment.succeed("logs", JOB, "--lines", "1000")).trim().split("\n");
    const times = logs.map((line) => line.slice(0, 24)).filter((time) => /^\d{4}-/.test(time));
    expect(times).toEqual(times.toSorted());
    expect(logs.filter((line) => line.includes("supervisor: workerd starts")).length).toBeGreaterThan(4);
  });

  test("needs a key or a token on the hosts' own loopback, too", async () => {
    const { agents } = await status();
    const answers = agents.map(async ({ url }) => {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ListTasks", params: {} });
      const headers = { "content-type": "application/json", "a2a-version": "1.0" };
      return (await fetch(`${url}/a2a`, { method: "POST", headers, body })).status;
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set([401]));
  });

  test("is stopped on all hosts, and starts again", async () => {
    const stopped = await status();
    await all.deployment.succeed("stop", JOB);
    const pids = [...stopped.processes, ...stopped.shared].flatMap(({ pid }) => pid ?? []);
    expect(pids.length).toBeGreaterThan(4);
    expect(await running()).toEqual([]);
    expect((await status()).state).toBe("stopped");
    await all.deployment.succeed("restart", JOB);
    expect((await ask()).state).toBe("completed");
  });
});
