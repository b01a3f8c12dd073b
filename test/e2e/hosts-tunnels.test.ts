// Jobs over hosts of which only the port of ssh is open: this machine holds the tunnels between them.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { eventually, signalProcess } from "../support/deployment.ts";
import { noSshd } from "../support/ssh-host.ts";
import { type SshHosts, startSshHosts } from "../support/ssh-hosts.ts";
import { Answer, Status } from "./shapes.ts";

const JOB = "team";
const QUESTION = "What is a Durable Object?";
const MANY_MS = 60_000;

const TEAM = `name: ${JOB}
agents: [{ id: coordinator }, { id: searcher }, { id: summarizer }]
topology: { type: hub-spoke, hub: coordinator, spokes: [searcher, summarizer] }
heartbeat: { interval: 500ms }
`;

const Traces = z.object({ traces: z.array(z.object({ traceId: z.string(), agents: z.array(z.string()) })) });
const Tunnels = Status.extend({
  tunnels: z.object({
    pid: z.nullable(z.int()),
    hosts: z.array(z.object({ place: z.string(), state: z.string(), reason: z.string() })),
  }),
});

const exists = (pid: number): boolean => {
  try {
    signalProcess(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe.skipIf(noSshd())("a job over this machine and two hosts behind tunnels", () => {
  let all: SshHosts;
  let hostFile: string;
  let file: string;

  const status = async () => Tunnels.parse(await all.deployment.json("status", JOB));
  const ask = async () => Answer.parse(await all.deployment.json("query", JOB, QUESTION));
  const held = (): string => join(all.deployment.home, ".troupe", "jobs", JOB, "tunnels");
  /** The pid of the ssh to a host. */
  const sshTo = async (place: string): Promise<number> =>
    z.object({ pid: z.int() }).parse(JSON.parse(await readFile(join(held(), `${place}.ssh`), "utf8"))).pid;
  const isUp = async () => {
    const { tunnels } = await status();
    return tunnels.hosts.every(({ state }) => state === "up") ? tunnels : undefined;
  };

  beforeAll(async () => {
    all = await startSshHosts([{ homeName: "a home" }, { homeIsLink: true, umask: "077", banner: "Welcome!" }]);
    hostFile = await all.tunnelFile();
    file = await all.deployment.write("team.yaml", TEAM);
    await all.deployment.succeed("deploy", file, "--hosts", hostFile);
  }, 240_000);
  afterAll(async () => all[Symbol.asyncDispose]());

  test("has its agents at their places, and says that the tunnels are this machine's", async () => {
    const { state, agents, tunnels } = await status();
    expect({ state, places: agents.map(({ id, place, state: own }) => [id, place, own]) }).toEqual({
      state: "running",
      places: [
        ["coordinator", "local", "alive"],
        ["searcher", "h1", "alive"],
        ["summarizer", "h2", "alive"],
      ],
    });
    expect(tunnels.hosts.map(({ place, state: own }) => [place, own])).toEqual([
      ["h1", "up"],
      ["h2", "up"],
    ]);
    expect(await all.deployment.succeed("status", JOB)).toContain("only while this machine holds the tunnels");
  });

  test("opens no port for other machines", async () => {
    for (const host of all.hosts) {
      const release = join(all.jobFolder(host, JOB), "releases", "1");
      const configs = (await readdir(release)).filter((name) => name.endsWith(".capnp"));
      const texts = await Promise.all(configs.map(async (name) => readFile(join(release, name), "utf8")));
      expect(texts.join("\n")).not.toContain("*:");
    }
  });

  test("answers a question with one trace of all agents", async () => {
    const { answer, traceId } = await ask();
    expect(answer).toContain("Durable Object");
    const found = await eventually(
      async () => {
        const { traces } = Traces.parse(await all.deployment.json("traces", "list", JOB));
        return traces[0]?.agents.length === 3 ? traces : undefined;
      },
      MANY_MS,
      "the trace has spans of all agents",
    );
    expect(found.map((trace) => trace.traceId)).toEqual([traceId]);
  });

  test("has a tunnel whose ssh was killed held again, and answers", async () => {
    const before = await sshTo("h1");
    signalProcess(before, "SIGKILL");
    await eventually(
      async () => (existsSync(join(held(), "h1.ssh")) && (await sshTo("h1")) !== before ? isUp() : undefined),
      MANY_MS,
      "another ssh holds the tunnel",
    );
    expect((await ask()).state).toBe("completed");
  });

  test("leaves no ssh where the holder is killed, says so, and is brought back by restart", async () => {
    const { tunnels } = await status();
    const pids = [await sshTo("h1"), await sshTo("h2")];
    signalProcess(tunnels.pid, "SIGKILL");
    await eventually(async () => (pids.some(exists) ? undefined : true), MANY_MS, "every ssh has ended");
    const { state, tunnels: gone } = await status();
    expect([state, gone.pid, gone.hosts.map((host) => host.state)]).toEqual(["degraded", null, ["down", "down"]]);
    await all.deployment.succeed("restart", JOB);
    expect((await status()).state).toBe("running");
    expect((await ask()).state).toBe("completed");
  });

  test("keeps its tunnels over a deployment that changes no way", async () => {
    const before = [await sshTo("h1"), await sshTo("h2")];
    file = await all.deployment.write("team.yaml", `${TEAM}version: 2.0.0\n`);
    await all.deployment.succeed("deploy", file, "--hosts", hostFile);
    expect([await sshTo("h1"), await sshTo("h2")]).toEqual(before);
    expect((await ask()).state).toBe("completed");
  });

  test("tells a host whose tunnel is down, with why, and comes back with it", async () => {
    const [, second] = all.hosts;
    await second?.stop();
    const found = await eventually(
      async () => {
        const { tunnels } = await status();
        return tunnels.hosts[1]?.state === "down" ? tunnels.hosts[1] : undefined;
      },
      MANY_MS,
      "the tunnel is down",
    );
    expect(found.reason).not.toBe("");
    await second?.start();
    await eventually(isUp, MANY_MS, "the tunnel is up");
    expect((await ask()).state).toBe("completed");
  });

  test("leaves no ssh and no socket when it is stopped", async () => {
    const { tunnels } = await status();
    const pids = [tunnels.pid ?? 0, await sshTo("h1"), await sshTo("h2")];
    await all.deployment.succeed("stop", JOB);
    await eventually(async () => (pids.some(exists) ? undefined : true), MANY_MS, "all have ended");
    expect(existsSync(held())).toBe(false);
    for (const host of all.hosts) expect(await readdir(all.jobFolder(host, JOB))).not.toContain("tunnels");
  });
});

describe.skipIf(noSshd())("a job over two hosts behind tunnels", () => {
  let all: SshHosts;
  const ask = async () => Answer.parse(await all.deployment.json("query", JOB, QUESTION));
  /** Agent → its host. */
  const written = async (targets: Readonly<Record<string, string>>) => {
    const agents = Object.entries(targets).map(([id, host]) => `{ id: ${id}, target: "ssh://${host}" }`);
    const [hub, ...spokes] = Object.keys(targets);
    const lines = [`name: ${JOB}`, `agents: [${agents.join(", ")}]`, "heartbeat: { interval: 500ms }"];
    const topology = `topology: { type: hub-spoke, hub: ${hub}, spokes: [${spokes.join(", ")}] }`;
    const file = await all.deployment.write("team.yaml", [...lines, topology, ""].join("\n"));
    const hostFile = await all.deployment.write("hosts", "h1 expose=tunnel\nh2 expose=tunnel\nh3 expose=tunnel\n");
    return [file, "--hosts", hostFile];
  };
  const deployTo = async (targets: Readonly<Record<string, string>>) =>
    all.deployment.troupe("deploy", ...(await written(targets)));
  const stateAndAgents = async () => {
    const { state, agents } = Tunnels.parse(await all.deployment.json("status", JOB));
    return [state, ...agents.map(({ id }) => id)];
  };

  beforeAll(async () => {
    all = await startSshHosts([{}, {}, { withoutSockets: true }]);
  });
  afterAll(async () => all[Symbol.asyncDispose]());

  test("has agents that ask each other over this machine", async () => {
    expect(await deployTo({ coordinator: "h1", searcher: "h2" })).toMatchObject({ code: 0 });
    expect((await ask()).state).toBe("completed");
  });

  test("has other tunnels for another plan, and the former ones after a rollback", async () => {
    expect(await deployTo({ coordinator: "h1", searcher: "h2", summarizer: "h2" })).toMatchObject({ code: 0 });
    expect((await ask()).state).toBe("completed");
    await all.deployment.succeed("rollback", JOB);
    expect(await stateAndAgents()).toEqual(["running", "coordinator", "searcher"]);
    expect((await ask()).state).toBe("completed");
  });

  test("has its former tunnels where the command is interrupted while the releases change", async () => {
    const ways = async () =>
      readFile(join(all.deployment.home, ".troupe", "jobs", JOB, "tunnels", "ways"), "utf8").catch(() => "");
    const before = await ways();
    const targets = { coordinator: "h1", searcher: "h2", summarizer: "h2" };
    const command = all.deployment.start("deploy", ...(await written(targets)));
    await eventually(
      async () => (["", before].includes(await ways()) ? undefined : true),
      MANY_MS,
      "the tunnels of the new release are held",
    );
    command.process.kill("SIGINT");
    expect((await command.outcome).code).toBe(130);
    expect(await ways()).toBe(before);
    expect(await stateAndAgents()).toEqual(["running", "coordinator", "searcher"]);
    expect((await ask()).state).toBe("completed");
  });

  test("gets no agent on a host whose sshd makes no sockets, and nothing that runs or lies there is touched", async () => {
    const { code, stderr } = await deployTo({ coordinator: "h1", searcher: "h2", summarizer: "h3" });
    expect(code).toBe(1);
    expect(stderr).toContain("No tunnel to h3 can be held: ssh makes no forward there: remote port forwarding failed");
    expect(stderr).toContain("AllowStreamLocalForwarding");
    expect(existsSync(join(all.hosts[2]?.home ?? "", ".troupe", "cache"))).toBe(false);
    expect(Tunnels.parse(await all.deployment.json("status", JOB)).tunnels.hosts.map(({ place }) => place)).toEqual([
      "h1",
      "h2",
    ]);
    expect((await ask()).state).toBe("completed");
  });
});
