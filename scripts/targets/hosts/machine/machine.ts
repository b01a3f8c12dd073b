// The processes of one job on one host: starts, ends and asks them, over one connection.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RestartPolicy } from "#jobs/schema/schema.ts";

import { CliError } from "../../../terminal/cli-error.ts";
import { type ProcessFacts, statusFrom } from "../../local/processes/supervisor.ts";
import type { ProcessStatus } from "../../target.ts";
import type { Connection } from "../ssh/connection.ts";

const LOCAL_PROCESSES = join(import.meta.dirname, "../../local/processes");

const script = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");
const SHARED = readFileSync(join(LOCAL_PROCESSES, "process.sh"), "utf8");

/** Files that a release needs beside its configurations. */
export const SCRIPTS: Readonly<Record<string, string>> = {
  "process.sh": SHARED,
  "supervise.sh": readFileSync(join(LOCAL_PROCESSES, "supervise.sh"), "utf8"),
  "run.sh": script("run.sh"),
};

const START = SHARED + script("start.sh");
const STOP = SHARED + script("stop.sh");
const STATUS = SHARED + script("status.sh");
const LOGS = script("logs.sh");

const RUNS_ALREADY = 3;

export class Machine {
  readonly id: string;
  readonly connection: Connection;
  readonly #job: string;

  /** `id`: that of the place in the plan. */
  constructor(id: string, connection: Connection, job: string) {
    this.id = id;
    this.connection = connection;
    this.#job = job;
  }

  /** Troupe's folder on the host, absolute. */
  get root(): string {
    return `${this.connection.home}/.troupe`;
  }

  /** The job's folder on the host, absolute. */
  get folder(): string {
    return `${this.root}/jobs/${this.#job}`;
  }

  release(number: number): string {
    return `${this.folder}/releases/${number}`;
  }

  /** The environment of a process, for its owner alone. */
  secretsFile(release: number, process: string): string {
    return `${this.folder}/secrets/${release}/${process}.env`;
  }

  /** Starts a process under a supervisor that outlives the connection. Throws CliError where it runs already. */
  async start(
    name: string,
    {
      release,
      workerd,
      restart,
    }: { readonly release: number; readonly workerd: string; readonly restart: RestartPolicy },
  ): Promise<void> {
    const args = [this.folder, this.release(release), name, workerd, restart];
    const { code, stdout, stderr } = await this.connection.run(START, { args });
    if (code === 0) return;
    const why = code === RUNS_ALREADY ? `the process ${stdout.trim()} still serves its data` : stderr.trim();
    throw new CliError("failed", `${this.id}: ${name} cannot be started: ${why}.`);
  }

  /** Ends processes. Resolves to whether any ran. May be repeated. */
  async stop(names: readonly string[]): Promise<boolean> {
    const { code, stdout } = await this.connection.run(STOP, { args: [this.folder, ...names] });
    if (code !== 0) throw new CliError("failed", `${this.id}: some of ${names.join(", ")} did not end.`);
    return stdout.trim() !== "";
  }

  async processes(names: readonly string[]): Promise<ProcessStatus[]> {
    const { stdout } = await this.connection.run(STATUS, { args: [this.folder, ...names] });
    const facts = factsIn(stdout);
    const nothing = { pid: undefined, supervised: false, report: "", end: "" };
    return names.map((name) => statusFrom(facts.get(name) ?? { name, ...nothing }));
  }

  /** From now on the supervisors restart these processes. */
  async markHealthy(names: readonly string[]): Promise<void> {
    const rooms = names.map((name) => `${this.folder}/processes/${name}/healthy`);
    await this.connection.run('for file; do : >"$file"; done', { args: rooms });
  }

  /** The last lines of all logs, each with its process's name. */
  async logs(lines: number): Promise<readonly (readonly [process: string, line: string])[]> {
    const { stdout } = await this.connection.run(LOGS, { args: [this.folder, String(lines), "end"] });
    return stdout.split("\n").flatMap(namedLine);
  }

  /** The last lines, and every new one until the signal aborts. */
  async *follow(lines: number, signal: AbortSignal): AsyncIterable<readonly [process: string, line: string]> {
    const args = [this.folder, String(lines), "follow"];
    for await (const line of this.connection.lines(LOGS, { args, signal })) yield* namedLine(line);
  }
}

function namedLine(text: string): (readonly [string, string])[] {
  const space = text.indexOf(" ");
  return space <= 0 ? [] : [[text.slice(0, space), text.slice(space + 1)]];
}

/** What status.sh prints. */
function factsIn(text: string): Map<string, ProcessFacts> {
  const all = new Map<string, ProcessFacts>();
  let last: ProcessFacts | undefined;
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    const [key, value] = [line.slice(0, Math.max(0, at)), line.slice(at + 1)];
    if (key === "name") last = { name: value, pid: undefined, supervised: false, report: "", end: "" };
    if (!last) continue;
    if (key === "pid" && /^\d+$/.test(value)) last = { ...last, pid: Number(value) };
    if (key === "supervisor") last = { ...last, supervised: value !== "" };
    if (key === "report") last = { ...last, report: value };
    if (key === "end") last = { ...last, end: `${last.end}${value}\n` };
    all.set(last.name, last);
  }
  return all;
}
