// Starts and stops what is measured: deployed jobs through the CLI, and the references as processes of their own.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";

const PROJECT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

const Status = z.object({ pid: z.number(), agents: z.array(z.object({ id: z.string(), url: z.string() })) });
const Shared = z.object({ shared: z.array(z.object({ name: z.string(), pid: z.nullable(z.number()) })) });
const ControlPlane = z.object({ port: z.number(), modelPort: z.number() });

export interface Deployment {
  /** Origin of the entry point. */
  readonly url: string;
  readonly pid: number;
  /** From the start of the command to its end, in milliseconds. */
  readonly deployMs: number;
}

/** A `.troupe` folder of its own, with everything in it stopped and removed at the end. */
export class Bench {
  readonly home: string;
  readonly #jobs: string[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(home: string, environment: NodeJS.ProcessEnv) {
    this.home = home;
    this.#environment = environment;
  }

  /** `environment` is added to that of the commands. */
  static async create(environment: NodeJS.ProcessEnv = {}): Promise<Bench> {
    return new Bench(await mkdtemp(join(tmpdir(), "troupe-bench-")), environment);
  }

  async deploy(job: string, name: string, entry: string): Promise<Deployment> {
    if (!this.#jobs.includes(name)) this.#jobs.push(name);
    const begun = performance.now();
    await this.#cli("deploy", job);
    const deployMs = performance.now() - begun;
    const { stdout } = await this.#cli("status", name, "--json");
    const { pid, agents } = Status.parse(JSON.parse(stdout));
    const url = agents.find(({ id }) => id === entry)?.url;
    if (url === undefined) throw new Error(`${name} has no agent ${entry}.`);
    return { url, pid, deployMs };
  }

  async controlPlane(): Promise<{ readonly pid: number; readonly url: string; readonly modelUrl: string }> {
    const state = ControlPlane.parse(
      JSON.parse(await readFile(join(this.home, "control-plane", "state.json"), "utf8")),
    );
    const [url, modelUrl] = [`http://127.0.0.1:${state.port}`, `http://127.0.0.1:${state.modelPort}`];
    const { stdout } = await this.#cli("status", this.#jobs[0] ?? "", "--json");
    const pid = Shared.parse(JSON.parse(stdout)).shared.find(({ name }) => name === "control-plane")?.pid;
    if (typeof pid !== "number") throw new Error("The control plane does not run.");
    return { pid, url, modelUrl };
  }

  /** Starts a reference; resolves when it has printed its URL. */
  async reference(file: string, ...args: string[]): Promise<{ readonly url: string; readonly pid: number }> {
    const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#children.push(child);
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.once("data", (data: Buffer) => resolve(data.toString().trim()));
      child.once("exit", (code) => reject(new Error(`${file} ended with ${code} before it was ready.`)));
    });
    const [url = "", pid = ""] = line.split(" ");
    return { url, pid: Number(pid) };
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill();
    for (const job of this.#jobs) await this.#cli("stop", job);
    await rm(this.home, { recursive: true, force: true });
  }

  #cli(...args: string[]): Promise<{ stdout: string }> {
    const env = { ...process.env, TROUPE_HOME: this.home, ANTHROPIC_API_KEY: "", ...this.#environment };
    return run(process.execPath, [join(PROJECT, "scripts", "cli.ts"), ...args], { env, maxBuffer: 1 << 24 });
  }
}

/** Resident memory of a process in MB; undefined where `ps` does not tell. */
export async function residentMb(pid: number): Promise<number | undefined> {
  if (process.platform === "win32") return undefined;
  const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)]);
  return Number(stdout.trim()) / 1024;
}

/** CPU time that a process has used; undefined where /proc does not tell. */
export async function cpuSeconds(pid: number): Promise<number | undefined> {
  if (process.platform !== "linux") return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // After the name, which may hold anything, utime and stime are the 12th and 13th fields, in hundredths of a second.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
