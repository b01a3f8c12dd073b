// Real deployments for tests: the real CLI, as a user starts it, on a `.troupe` folder of its own that is gone afterwards.
import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { deployedJobs } from "../../scripts/targets/local/state/state.ts";
import { withTraceStores } from "../../scripts/targets/local/control-plane/trace-stores.ts";
import type { Io } from "../../scripts/terminal/io.ts";
import { problemsOf } from "./trace-rules.ts";
import { type TerminalOptions, TerminalSession } from "./terminal-session.ts";
import { TraceStore } from "./trace-store.ts";

const CLI = join(import.meta.dirname, "../../scripts/troupe.mjs");
/** Imported first, it makes the wrapper believe that it runs on an old Node. */
const OLD_NODE =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.0.0"}})';

/** A terminal that shows nothing. */
export const SILENT_IO: Io = {
  print: () => {},
  write: () => {},
  note: () => {},
  signal: new AbortController().signal,
  interactive: false,
};
/** Time for the last spans to arrive. */
const SETTLE_MS = 5_000;
const OPEN = "is open";

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

export class Deployment {
  /** The folder of deployment state, and of files the test writes. */
  readonly home: string;
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(home: string, environment: NodeJS.ProcessEnv) {
    this.home = home;
    this.#environment = environment;
  }

  /** A fresh deployment folder, empty but for bundles where there are any. `environment` is added to that of the tests, without any model key or collector. */
  static async create(environment: NodeJS.ProcessEnv = {}): Promise<Deployment> {
    const home = await mkdtemp(join(tmpdir(), "troupe-e2e-"));
    const ours = /^(ANTHROPIC_|OTEL_|TROUPE_)/;
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
    const prebuilt = process.env["PREBUILT_WORKERS"];
    if (prebuilt !== undefined) await cp(prebuilt, join(home, ".troupe", "build"), { recursive: true });
    const ports = process.env["TROUPE_PORTS"] ?? "";
    const own = { TROUPE_HOME: join(home, ".troupe"), TROUPE_PORTS: ports };
    return new Deployment(home, { ...inherited, ...environment, ...own });
  }

  /** Sets a variable for the commands that follow. */
  set(variable: string, value: string): void {
    this.#environment[variable] = value;
  }

  /** Writes a job file and returns its path. */
  async write(name: string, text: string): Promise<string> {
    const path = join(this.home, name);
    await writeFile(path, text);
    return path;
  }

  /** Starts `troupe <args>`, in the deployment's folder. */
  start(...args: string[]): Running {
    return this.#spawn([CLI, ...args]);
  }

  /** As `start`, by the wrapper that an old Node needs: the command is its child, and both are a process group. */
  startUnderOldNode(...args: string[]): Running {
    return this.#spawn(["--import", OLD_NODE, CLI, ...args], { detached: true });
  }

  #spawn(args: readonly string[], options: { readonly detached?: true } = {}): Running {
    const child = spawn(process.execPath, args, {
      ...options,
      cwd: this.home,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const outcome = new Promise<Outcome>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, stdout, stderr }));
    });
    return { process: child, outcome };
  }

  /** As `start`, in a terminal. */
  terminal(args: readonly string[], { env = {}, ...size }: Partial<TerminalOptions> = {}): TerminalSession {
    return new TerminalSession(args, { ...size, cwd: this.home, env: { ...this.#environment, ...env } });
  }

  /** Runs `troupe <args>` to its end, whatever that is. */
  async troupe(...args: string[]): Promise<Outcome> {
    return this.start(...args).outcome;
  }

  /** Runs `troupe <args>`, which must exit with 0; resolves to its stdout. */
  async succeed(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.troupe(...args);
    if (code !== 0) throw new Error(`troupe ${args.join(" ")} exited with ${String(code)}:\n${stderr}`);
    return stdout;
  }

  /** Runs `troupe <args> --json`, which must exit with 0; resolves to what it printed. */
  async json(...args: string[]): Promise<unknown> {
    return JSON.parse(await this.succeed(...args, "--json"));
  }

  /** The trace store of a job; the job must run. */
  async traces(job: string): Promise<TraceStore> {
    const store = await TraceStore.of(this.#state, job);
    if (!store) throw new Error("The control plane does not run.");
    return store;
  }

  /**
   * Stops every job and removes the folder. Before that it looks at the trace of each query there was, and throws when one is not as
   * a trace has to be. `mayBeOpen`: processes were killed that nobody brought back. `unchecked`: the test looks at the traces itself.
   */
  async close({ mayBeOpen = false, unchecked = false } = {}): Promise<void> {
    try {
      const jobs = await deployedJobs(this.#state);
      const check = async () => {
        for (const job of jobs) await this.#checkTraces(job, mayBeOpen);
      };
      if (jobs.length > 0 && !unchecked) await withTraceStores(this.#state, jobs, SILENT_IO, check);
    } finally {
      await this.succeed("stop", "--all");
      await rm(this.home, { recursive: true, force: true });
    }
  }

  async #checkTraces(job: string, mayBeOpen: boolean): Promise<void> {
    const store = await this.traces(job);
    for (const { traceId } of await store.list()) {
      const look = async () =>
        problemsOf(await store.spans(traceId)).filter((problem) => !(mayBeOpen && problem.endsWith(OPEN)));
      const settled = async () => ((await look()).length === 0 ? true : undefined);
      await eventually(settled, SETTLE_MS, `the trace ${traceId} of ${job} is whole`).catch(async () => {
        throw new Error(`The trace ${traceId} of ${job} is not whole:\n${(await look()).join("\n")}`);
      });
    }
    const others = await store.list("other");
    if (others.length > 0) throw new Error(`${job} left ${others.length} traces that belong to no query.`);
  }

  /** The `.troupe` folder. */
  get #state(): string {
    return join(this.home, ".troupe");
  }
}

/** Sends a signal to one process, or to the group of it for a negative pid. Throws for a pid that is none: 0 would mean the tests themselves. */
export function signalProcess(pid: number | null | undefined, signal: NodeJS.Signals | 0): void {
  if (!pid) throw new Error(`There is no process to send ${signal} to.`);
  process.kill(pid, signal);
}

/** Waits until `look` gives something other than undefined; throws after `limitMs`. */
export async function eventually<Result>(
  look: () => Promise<Result | undefined>,
  limitMs: number,
  what: string,
): Promise<Result> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const result = await look();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error(`Not within ${limitMs} ms: ${what}`);
    await delay(50);
  }
}
