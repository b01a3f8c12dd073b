// Starts and stops what is measured: deployed jobs through the CLI, and the references as processes of their own.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";

const PROJECT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

const Status = z.object({
  pid: z.number(),
  agents: z.array(z.object({ id: z.string(), url: z.string(), pid: z.number() })),
});
const Shared = z.object({ shared: z.array(z.object({ name: z.string(), pid: z.nullable(z.number()) })) });
const State = z.object({ port: z.number(), modelPort: z.number() });

export interface Deployment {
  /** Origin of the entry point. */
  readonly url: string;
  /** Of the entry point. */
  readonly pid: number;
  /** Of all agents. */
  readonly pids: readonly number[];
  /** From the start of the command to its end, in milliseconds. */
  readonly deployMs: number;
}

export interface ControlPlane {
  readonly pid: number;
  /** Of the offline model. */
  readonly modelPid: number;
  readonly url: string;
  readonly modelUrl: string;
}

/** A `.troupe` folder of its own, with everything in it stopped and removed at the end. */
export class Bench {
  readonly home: string;
  readonly #jobs: string[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #environment: NodeJS.ProcessEnv;
  #closed: Promise<void> | undefined;

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
    return { url, pid, pids: [...new Set(agents.map((agent) => agent.pid))], deployMs };
  }

  /**
   * Deploys a job file under another name, with more text at its end. The name tells deployments apart that are measured in one run.
   */
  async deployVariant(file: string, name: string, entry: string, more = ""): Promise<Deployment> {
    const text = (await readFile(file, "utf8")).replace(/^name: .*$/m, `name: ${name}`);
    const path = join(this.home, `${name}.yaml`);
    await writeFile(path, `${text}\n${more}\n`);
    return this.deploy(path, name, entry);
  }

  async controlPlane(): Promise<ControlPlane> {
    const state = State.parse(JSON.parse(await readFile(join(this.home, "control-plane", "state.json"), "utf8")));
    const [url, modelUrl] = [`http://127.0.0.1:${state.port}`, `http://127.0.0.1:${state.modelPort}`];
    const { stdout } = await this.#cli("status", this.#jobs[0] ?? "", "--json");
    const { shared } = Shared.parse(JSON.parse(stdout));
    const [pid, modelPid] = ["control-plane", "offline-model"].map(
      (wanted) => shared.find(({ name }) => name === wanted)?.pid,
    );
    if (typeof pid !== "number" || typeof modelPid !== "number") throw new Error("The control plane does not run.");
    return { pid, modelPid, url, modelUrl };
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

  /** May be repeated. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const child of this.#children) child.kill();
    for (const job of this.#jobs) await this.#cli("stop", job);
    await rm(this.home, { recursive: true, force: true });
  }

  #cli(...args: string[]): Promise<{ stdout: string }> {
    const env = { ...process.env, TROUPE_HOME: this.home, ANTHROPIC_API_KEY: "", ...this.#environment };
    return run(process.execPath, [join(PROJECT, "scripts", "cli.ts"), ...args], { env, maxBuffer: 1 << 24 });
  }
}
