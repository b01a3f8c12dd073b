// A job that changes its places: from this machine to a host, over both, and back; and what it leaves behind.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { eventually } from "../support/deployment.ts";
import { noSshd } from "../support/ssh-host.ts";
import { type SshHosts, startSshHosts } from "../support/ssh-hosts.ts";
import { Answer, Status } from "./shapes.ts";

const QUESTION = "What is a Durable Object?";
const PEERS = "topology: { type: hub-spoke, hub: coordinator, spokes: [searcher, summarizer, fact_checker] }";
const TRACE_MS = 30_000;

const jobOf = (places: Readonly<Record<string, string>>, rest = "") => `name: mover
agents:
${["coordinator", "searcher", "summarizer", "fact_checker"]
  .map((id) => `  - { id: ${id}, target: "${places[id] ?? "ssh://h1"}" }`)
  .join("\n")}
${PEERS}
${rest}
`;
const HERE = jobOf({ coordinator: "local", searcher: "local", summarizer: "local", fact_checker: "local" });
const THERE = jobOf({});
const BOTH = jobOf({ coordinator: "local" }, 'control_plane: { target: "ssh://h1" }');

const Traces = z.object({ traces: z.array(z.object({ traceId: z.string(), agents: z.array(z.string()) })) });

describe.skipIf(noSshd())("a job that moves", () => {
  let all: SshHosts;
  const folder = () => join(all.hosts[0]?.home ?? "", ".troupe");
  const deploy = async (text: string, ...flags: string[]) =>
    all.deployment.troupe("deploy", await all.deployment.write("mover.yaml", text), ...flags);
  const ask = async () => Answer.parse(await all.deployment.json("query", "mover", QUESTION));
  const places = async () => {
    const { state, agents } = Status.parse(await all.deployment.json("status", "mover"));
    return [state, ...agents.map(({ place }) => place ?? "here")];
  };
  const sessions = async () => {
    const listed = z.object({ sessions: z.array(z.unknown()) });
    return listed.parse(await all.deployment.json("sessions", "list", "mover")).sessions.length;
  };

  beforeAll(async () => {
    all = await startSshHosts([{}]);
  }, 60_000);
  afterAll(async () => all[Symbol.asyncDispose]());

  test("is refused to leave its sessions, which plan counts, unless it is told so", async () => {
    expect(await deploy(HERE)).toMatchObject({ code: 0 });
    await ask();
    const refused = await deploy(THERE);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      "1 session of coordinator, searcher, summarizer, fact_checker on local would not move.",
    );
    const path = await all.deployment.write("mover.yaml", THERE);
    expect(await all.deployment.succeed("plan", path)).toContain("1 session of coordinator, searcher");
    expect(await places()).toEqual(["running", "here", "here", "here", "here"]);
    expect(existsSync(folder())).toBe(false);
  });

  test("runs at its new place alone, and finds its sessions when it comes back", async () => {
    expect(await deploy(THERE, "--leave-sessions")).toMatchObject({ code: 0 });
    expect(await places()).toEqual(["running", "h1", "h1", "h1", "h1"]);
    expect(await sessions()).toBe(0);
    await ask();
    expect(await deploy(HERE, "--leave-sessions")).toMatchObject({ code: 0 });
    expect(await places()).toEqual(["running", "here", "here", "here", "here"]);
    expect(await sessions()).toBe(1);
  });

  test("answers with one trace where one agent is here and the others are there", async () => {
    expect(await deploy(BOTH, "--leave-sessions")).toMatchObject({ code: 0 });
    expect(await places()).toEqual(["running", "local", "h1", "h1", "h1"]);
    const { traceId } = await ask();
    const agents = await eventually(
      async () => {
        const { traces } = Traces.parse(await all.deployment.json("traces", "list", "mover"));
        const own = traces.find((trace) => trace.traceId === traceId)?.agents ?? [];
        return own.length === 4 ? own : undefined;
      },
      TRACE_MS,
      "the trace has spans of all agents",
    );
    expect(agents.toSorted()).toEqual(["coordinator", "fact_checker", "searcher", "summarizer"]);
  });

  test("is removed from the host by cleanup, and with --all workerd, too", async () => {
    await all.deployment.succeed("stop", "mover");
    expect(await readdir(join(folder(), "jobs"))).toEqual(["mover"]);
    await all.deployment.succeed("cleanup", "mover", "--older-than", "0s", "--all");
    expect(existsSync(folder())).toBe(false);
  });
});
