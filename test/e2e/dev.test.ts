// A job under `wrangler dev`, as a person develops it: in a copy of the project, whose sources are saved.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { freePorts, isTaken } from "../../scripts/targets/local/processes/ports.ts";
import { Deployment, eventually, signalProcess } from "../support/deployment.ts";
import { copyProject } from "../support/project-copy.ts";
import { problemsOf } from "../support/trace-rules.ts";
import { TraceStore } from "../support/trace-store.ts";
import { Answer } from "./shapes.ts";

const JOB = "research-assistant";
const AGENTS = ["coordinator", "fact_checker", "searcher", "summarizer"];
/** Of one step, on a busy machine. */
const LIMIT_MS = 60_000;

const Card = z.object({ description: z.string(), supportedInterfaces: z.array(z.object({ url: z.string() })) });

let deployment: Deployment;
let project: string;
let temporary: string;
let port: number;

beforeAll(async () => {
  deployment = await Deployment.create();
  project = await copyProject(deployment.home);
  temporary = join(deployment.home, "tmp");
  await mkdir(temporary);
  port = (await freePorts(1))[0] ?? 0;
});
afterAll(async () => deployment.close());

interface Running {
  readonly process: ChildProcess;
  readonly said: () => string;
}

/** Starts a program of the copy. */
function start(...args: readonly string[]): Running {
  const ours = /^(ANTHROPIC_|OTEL_|TROUPE_)/;
  const inherited = Object.entries(process.env).filter(([name]) => !ours.test(name));
  const env = { ...Object.fromEntries(inherited), TROUPE_HOME: join(deployment.home, ".troupe"), TMPDIR: temporary };
  const child = spawn(process.execPath, args, { cwd: project, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  return { process: child, said: () => said };
}

async function untilSaid({ process: child, said }: Running, words: string, from = 0): Promise<void> {
  const look = async () => {
    if (child.exitCode !== null) throw new Error(`It has ended:\n${said()}`);
    return said().includes(words, from) ? true : undefined;
  };
  await eventually(look, LIMIT_MS, `it says "${words}"`).catch((error: unknown) => {
    throw new Error(said(), { cause: error });
  });
}

async function filesOf(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => !name.startsWith("node_modules")).toSorted();
}

/** The wrangler that the command started, a group of its own. */
async function wranglerOf({ process: { pid } }: Running): Promise<number | undefined> {
  const { stdout } = await promisify(execFile)("ps", ["-axo", "pid=,ppid=,args="]);
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  const found = rows.find(([, parent, ...args]) => parent === String(pid) && args.includes("--persist-to"));
  return found === undefined ? undefined : Number(found[0]);
}

async function interrupt({ process: child }: Running): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const ended = once(child, "close");
  signalProcess(-(child.pid ?? 0), "SIGINT");
  await ended;
  return child.exitCode;
}

describe("troupe dev", () => {
  let dev: Running;
  let before: string[];
  const origin = () => `http://localhost:${port}`;
  const cardOf = async (agent: string) => {
    const response = await fetch(`${origin()}/agents/${agent}/.well-known/agent-card.json`);
    return Card.parse(await response.json());
  };
  const traces = async () => {
    const token = await readFile(join(deployment.home, ".troupe/dev", JOB, "token"), "utf8");
    return TraceStore.at(`${origin()}/control-plane`, token);
  };

  beforeAll(async () => {
    before = await filesOf(project);
    dev = start("scripts/troupe.mjs", "dev", JOB, "--port", String(port));
    await untilSaid(dev, "Ctrl-C ends all.");
  });
  afterAll(async () => interrupt(dev));

  test("each agent's card says the address behind the router", async () => {
    for (const agent of AGENTS) {
      const urls = (await cardOf(agent)).supportedInterfaces.map(({ url }) => url);
      expect(urls).toContain(`${origin()}/agents/${agent}/jsonrpc`);
    }
  });

  test("a question gets a cited answer through the router, and has one whole trace with all agents", async () => {
    const url = `${origin()}/agents/coordinator/`;
    const { answer, state, traceId } = Answer.parse(await deployment.json("query", url, "What is a Durable Object?"));
    expect(state).toBe("completed");
    expect(answer).toContain("jobs/corpus/durable-objects.md");
    const store = await traces();
    const look = async () => (problemsOf(await store.spans(traceId)).length === 0 ? true : undefined);
    await eventually(look, LIMIT_MS, "the trace is whole");
    expect((await store.list()).map((trace) => trace.traceId)).toEqual([traceId]);
    const agents = new Set((await store.spans(traceId)).map(({ agent }) => agent));
    expect([...agents].toSorted()).toEqual(AGENTS);
  });

  test("a saved source is served at the same address; a mistake in it is named, and ends nothing", async () => {
    const source = join(project, "workers/agents/coordinator/index.ts");
    const text = await readFile(source, "utf8");
    const mark = dev.said().length;
    await writeFile(source, `${text}\nconst broken = ;\n`);
    await untilSaid(dev, "it does not build", mark);
    await writeFile(source, `${text}\nthrow new Error("at its start");\n`);
    await untilSaid(dev, "the agent cannot start: Error: at its start", mark);
    const description = "Answers as it was told a moment ago.";
    expect((await cardOf("coordinator")).description).not.toBe(description);

    await writeFile(source, text.replace(/description:\s*"[^"]+"/, `description: "${description}"`));
    await untilSaid(dev, "Built again: coordinator", mark);
    const look = async () => ((await cardOf("coordinator")).description === description ? true : undefined);
    await eventually(async () => look().catch(() => undefined), LIMIT_MS, "the card says the new description");
  });

  test("a request by a foreign host or page is refused as by a deployed agent", async () => {
    const asked = await fetch(`${origin()}/agents/coordinator/health`, { headers: { origin: "https://evil.example" } });
    expect(asked.status).toBe(403);
  });

  test("a path that names no agent is not found", async () => {
    expect((await fetch(`${origin()}/agents/nobody/health`)).status).toBe(404);
  });

  test("traces are for those who have the job's token", async () => {
    expect((await fetch(`${origin()}/control-plane/v1/traces`)).status).toBe(401);
  });

  test("secrets are in files of their owner alone, outside the project", async () => {
    const files = (await readdir(temporary, { recursive: true })).filter((name) => name.endsWith(".dev.vars"));
    expect(files).toHaveLength(AGENTS.length + 3);
    for (const file of files) expect((await stat(join(temporary, file))).mode & 0o077).toBe(0);
  });

  test("a second one on the same port is refused in words", async () => {
    const second = await deployment.troupe("dev", "approvals", "--port", String(port));
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`Port ${port} is in use`);
  });

  test("a second one of the same job is refused in words, since both would have its sessions", async () => {
    const [other] = await freePorts(1);
    const second = await deployment.troupe("dev", JOB, "--port", String(other));
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`${JOB} runs under wrangler dev already`);
  });

  test("an interruption ends wrangler and all that it started, and leaves the project as it was", async () => {
    const wrangler = await wranglerOf(dev);
    expect(await interrupt(dev)).toBe(0);
    expect(() => signalProcess(-(wrangler ?? 0), 0)).toThrow("ESRCH");
    expect(await isTaken(port)).toBe(false);
    expect((await readdir(temporary)).filter((name) => name.startsWith("troupe-"))).toEqual([]);
    expect(await filesOf(project)).toEqual(before);
  });
});

test("wrangler dev in the project serves the control plane alone, without tokens", async () => {
  const wrangler = "node_modules/wrangler/bin/wrangler.js";
  const data = join(deployment.home, "data");
  const args = ["--var", "TROUPE_DEVELOPMENT:true", "--port", String(port), "--persist-to", data];
  const running = start(wrangler, "dev", ...args);
  try {
    await untilSaid(running, "Ready on");
    const response = await fetch(`http://localhost:${port}/v1/traces`);
    expect(await response.json()).toEqual({ traces: [], next: null });
  } finally {
    await interrupt(running);
  }
});
