// The processes of one job on one host: starts, ends and asks them, over one connection.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../../../terminal/cli-error.ts";
import { type ProcessFacts, statusFrom } from "../../local/processes/supervisor.ts";
import type { ProcessStatus } from "../../target.ts";
import type { Shell } from "../ssh/connection.ts";

const LOCAL_PROCESSES = join(import.meta.dirname, "../../local/processes");

const script = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");
const PROCESS = readFileSync(join(LOCAL_PROCESSES, "process.sh"), "utf8");
const JOB = script("job.sh");

/** Files that a release needs beside its configurations. */
export const SCRIPTS: Readonly<Record<string, string>> = {
  "process.sh": PROCESS,
  "job.sh": JOB,
  "supervise.sh": readFileSync(join(LOCAL_PROCESSES, "supervise.sh"), "utf8"),
  "run.sh": script("run.sh"),
  "swap.sh": script("swap.sh"),
};

/** Lies in the folder of the job. */
export const BOOT = script("boot.sh");

const WITH_JOB = `${PROCESS}${JOB}job=$1; shift\n`;
const START = `${WITH_JOB}umask 077; start "$@"`;
const STOP = `${WITH_JOB}umask 077; stop "$@"; code=$?; [ $# -gt 0 ] || [ ! -d "$job" ] || { rm -rf "$job/tunnels"; touch "$job/stopped"; }; exit "$code"`;
const STATUS = PROCESS + script("status.sh");
const WATCH_SWAP = PROCESS + JOB + script("watch-swap.sh");
const LOGS = script("logs.sh");
const UNIT = script("unit.sh");
const NO_UNIT = script("no-unit.sh");

const RUNS_ALREADY = 3;

/** What swap.sh has done. */
export type SwapStep = "ended" | "started" | "kept" | "back" | "failed";

export interface SwapRequest {
  readonly release: number;
  /** After this time it goes back by itself. */
  readonly seconds: number;
  /** Whether the two releases store data in different forms. */
  readonly dataDiffer: boolean;
  /** The release whose copy of the data takes the place of the data. */
  readonly restoreDataOf?: number;
  readonly signal: AbortSignal;
}

export class Machine {
  readonly id: string;
  readonly connection: Shell;
  readonly #job: string;
  readonly #proof: boolean;

  /** `id`: that of the place in the plan. */
  constructor(id: string, connection: Shell, job: string, { proof = false } = {}) {
    this.id = id;
    this.connection = connection;
    this.#job = job;
    this.#proof = proof;
  }

  /** The same job, with folders of its own: data that are empty, and processes that nobody else asks. */
  proof(): Machine {
    return new Machine(this.id, this.connection, this.#job, { proof: true });
  }

  get isProof(): boolean {
    return this.#proof;
  }

  /** Troupe's folder on the host, absolute. */
  get root(): string {
    return this.connection.root;
  }

  /** The job's folder on the host, absolute. */
  get folder(): string {
    return `${this.root}/jobs/${this.#job}${this.#proof ? "/proof" : ""}`;
  }

  /** Where a module lies, from the folder of a release. Releases and jobs share it. */
  module(sha256: string): string {
    return `../../../../${this.#proof ? "../" : ""}cache/modules/${sha256}.js`;
  }

  release(number: number): string {
    return `${this.folder}/releases/${number}`;
  }

  /** Folder of the environments of processes, for their owner alone. */
  secrets(release: number): string {
    return `${this.folder}/secrets/${release}`;
  }

  /** Starts processes of a release, which outlive the connection. Throws CliError where one runs already. */
  async start(release: number, names: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await this.connection.run(START, {
      args: [this.folder, this.release(release), ...names],
    });
    if (code === 0) return;
    const [name = "", pid = ""] = stdout.trim().split(" ");
    const why = code === RUNS_ALREADY ? `the process ${pid} still serves its data` : stderr.trim();
    throw new CliError("failed", `${this.id}: ${name || "a process"} cannot be started: ${why}.`);
  }

  /**
   * Ends processes; without names all of the job, which then stays stopped when the host starts again, and has no sockets of tunnels. Resolves
   * to whether any ran. May be repeated.
   */
  async stop(names: readonly string[] = []): Promise<boolean> {
    const { code, stdout } = await this.connection.run(STOP, { args: [this.folder, ...names] });
    if (code !== 0) throw new CliError("failed", `${this.id}: some processes of ${this.#job} did not end.`);
    return stdout.trim() !== "";
  }

  /**
   * Replaces what runs by another release, step by step. The last step is `kept`, `back` or `failed`. After `started` it waits for what
   * decide() says. Throws CliError when the connection is lost: then the host goes back by itself.
   */
  async *swap(request: SwapRequest): AsyncGenerator<{ readonly step: SwapStep; readonly why: string }> {
    const { release, seconds, dataDiffer, restoreDataOf, signal } = request;
    const restored = restoreDataOf === undefined ? [] : [`${this.folder}/snapshots/${restoreDataOf}`];
    const args = [this.folder, this.release(release), String(seconds), dataDiffer ? "differ" : "no", ...restored];
    for await (const line of this.connection.lines(WATCH_SWAP, { args, signal })) {
      const step = STEPS.find((candidate) => line === candidate || line.startsWith(`${candidate} `));
      if (step !== undefined) yield { step, why: line.slice(step.length + 1) };
    }
  }

  /** Says how a swap ends. */
  async decide(what: "keep" | "back"): Promise<void> {
    await this.connection.run('printf %s "$2" >"$1.new" && mv -f "$1.new" "$1"', {
      args: [`${this.folder}/swap/want`, what],
    });
  }

  /** The number of the release that runs, or ran last; undefined where none ever did. */
  async current(): Promise<number | undefined> {
    const { stdout } = await this.connection.run('cat "$1/current" 2>/dev/null', { args: [this.folder] });
    const number = Number(stdout.trim() || Number.NaN);
    return Number.isInteger(number) ? number : undefined;
  }

  /** Throws CliError where a release is gone. */
  async requireRelease(number: number): Promise<void> {
    const { code } = await this.connection.run('[ -d "$1" ]', { args: [this.release(number)] });
    if (code !== 0) throw new CliError("failed", `Release ${number} is gone from ${this.id}.`, "Deploy the job again.");
  }

  /** Throws CliError where no data of a release are kept. */
  async requireData(number: number): Promise<void> {
    const { code } = await this.connection.run('[ -d "$1" ]', { args: [`${this.folder}/snapshots/${number}`] });
    if (code === 0) return;
    throw new CliError(
      "failed",
      `No data of release ${number} are kept at ${this.id}: only those of the release before the present one are.`,
    );
  }

  /** Removes releases and their secrets, all but these. */
  async prune(keep: readonly number[]): Promise<void> {
    const args = [this.folder, ...keep.map(String)];
    await this.connection.run(PRUNE, { args });
  }

  /** A trial uses the job's own keys: they exist nowhere else. */
  async borrowKeys(): Promise<void> {
    await this.connection.run('mkdir -p "$1" && ln -sfn ../keys "$1/keys"', { args: [this.folder] });
  }

  /** Has the account's systemd start the job when the host starts. Throws CliError where it does not. */
  async startAtBoot(): Promise<void> {
    const { code, stderr } = await this.connection.run(UNIT, { args: [this.folder, this.#job] });
    if (code === 0) return;
    const said = stderr.trim().split("\n").at(-1) || `exit code ${code}`;
    throw new CliError("failed", `systemd does not take the job: ${said}`);
  }

  /** Removes all that the job has here; its processes must have ended. */
  async remove(): Promise<void> {
    if (!this.#proof) await this.connection.run(NO_UNIT, { args: [this.#job] });
    await this.#removed('rm -rf "$1"', this.folder);
  }

  /** Removes workerd and modules, where no job is left. */
  async removeCaches(): Promise<void> {
    await this.#removed('rmdir "$1/jobs" 2>/dev/null; [ -d "$1/jobs" ] || rm -rf "$1"', this.root);
  }

  async #removed(script: string, folder: string): Promise<void> {
    const { code, stderr } = await this.connection.run(script, { args: [folder] });
    if (code !== 0) throw new CliError("failed", `${folder} is not removed: ${stderr.trim()}`);
  }

  async processes(names: readonly string[]): Promise<ProcessStatus[]> {
    const { stdout } = await this.connection.run(STATUS, { args: [this.folder, ...names] });
    const facts = factsIn(stdout);
    const nothing = { pid: undefined, supervised: false, report: "", end: "" };
    return names.map((name) => statusFrom(facts.get(name) ?? { name, ...nothing }));
  }

  /** The last lines of all logs, each with its process's name. */
  async logs(lines: number): Promise<readonly (readonly [process: string, line: string])[]> {
    const { stdout } = await this.connection.run(LOGS, { args: [this.folder, String(lines), "end"] });
    return stdout.split("\n").flatMap(namedLine);
  }

  /** Every new line until the signal aborts. */
  async *follow(signal: AbortSignal): AsyncIterable<readonly [process: string, line: string]> {
    const args = [this.folder, "0", "follow"];
    for await (const line of this.connection.lines(LOGS, { args, signal })) yield* namedLine(line);
  }
}

const STEPS: readonly SwapStep[] = ["ended", "started", "kept", "back", "failed"];

const PRUNE = `
job=$1
shift
for folder in "$job"/releases/* "$job"/secrets/*; do
  keep=
  for number; do [ "\${folder##*/}" != "$number" ] || keep=1; done
  [ -n "$keep" ] || rm -rf "$folder"
done
`;

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
