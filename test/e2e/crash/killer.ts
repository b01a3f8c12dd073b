// Kills processes of a crash job, and brings them back: the whole job by the command line, one agent alone as a supervisor would, or leaves
// that to the supervisors.
// Knows when a session's log is written, because it watches the files.
import { readdirSync, watch, type FSWatcher } from "node:fs";
import { uptime } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { buildWorkers } from "../../../scripts/project/build.ts";
import { ensureControlPlane, findControlPlane } from "../../../scripts/targets/local/control-plane/control-plane.ts";
import { controlPlaneLayout, jobLayout } from "../../../scripts/targets/local/state/layout.ts";
import { readRelease } from "../../../scripts/targets/local/state/release.ts";
import { processesOf } from "../../../scripts/targets/local/processes/job-config.ts";
import { lockHolder } from "../../../scripts/targets/local/state/lock.ts";
import { isRunning, type ProcessIdentity } from "../../../scripts/targets/local/state/process.ts";
import { isHealthy } from "../../../scripts/targets/local/processes/health.ts";
import { jobProcesses, type RunningProcess } from "../../../scripts/targets/local/processes/processes.ts";
import { readJobSecrets, secretValues } from "../../../scripts/targets/local/state/secrets.ts";
import { readJobState } from "../../../scripts/targets/local/state/state.ts";
import { endSupervised, processStatus, startSupervised } from "../../../scripts/targets/local/processes/supervisor.ts";
import { eventually, signalProcess, SILENT_IO } from "../../support/deployment.ts";
import { headName, headsOf, type Heads } from "./heads.ts";
import type { CrashJob } from "./job.ts";
import type { LoggedTask } from "./logs.ts";
import type { Boundary, Kill } from "./schedule.ts";

/** The longest wait for a boundary, or for a write; where none comes, the kill comes all the same. */
const NO_BOUNDARY_MS = 30_000;
const NO_WRITE_MS = 4_000;
const GONE_MS = 5_000;
const BACK_MS = 20_000;
const LOOK_MS = 1_000;
const WAL = "-wal";

export interface Killed {
  /** The processes that were killed. */
  readonly names: readonly string[];
  /** Whether it was right after the boundary; true where any moment was meant. */
  readonly inTime: boolean;
}

export class Killer {
  readonly #job: CrashJob;
  readonly #watchers: FSWatcher[];
  #onWrite: ((agent: string, file: string) => void) | undefined;

  /** Each agent must have had a session. */
  constructor(job: CrashJob) {
    this.#job = job;
    this.#watchers = job.sessionFolders.map(({ agent, folder }) =>
      watch(folder, (_, name) => {
        // Alarms have a database of their own, which every start of the process writes to.
        if (name?.endsWith(WAL) && !name.startsWith("metadata"))
          this.#onWrite?.(agent, join(folder, name.slice(0, -WAL.length)));
      }),
    );
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  /** Waits for the kill's moment, then kills. */
  async kill({ what, when }: Kill): Promise<Killed> {
    const victims = await this.#victims(what);
    const pids = victims.map(({ identity }) => identity.pid);
    let inTime = true;
    if ("ms" in when) {
      await delay(when.ms);
      signalAll(pids, "SIGKILL");
    } else {
      inTime = await this.#killAfter(when.after, pids, what === "all" ? undefined : what);
    }
    await this.#gone(victims.map(({ identity }) => identity));
    return { names: victims.map(({ name }) => name), inTime };
  }

  /** Runs `work` while all agents stand still: an object that leaves memory moves its log from one file to the other. */
  async whileStopped<Result>(work: () => Promise<Result>): Promise<Result> {
    const pids = (await this.#victims("all")).map(({ identity }) => identity.pid);
    signalAll(pids, "SIGSTOP");
    try {
      return await work();
    } finally {
      signalAll(pids, "SIGCONT");
    }
  }

  /**
   * Stops the processes at each write to a log, looks how far it has come, and lets them go on, until a task has come to the boundary:
   * then nothing but the kill follows it. Resolves to false when there was none, and kills all the same.
   */
  async #killAfter(boundary: Boundary, pids: readonly number[], agent: string | undefined): Promise<boolean> {
    const known = new Map(this.#sessions(agent).map((file) => [file, headsOf(file)]));
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), NO_BOUNDARY_MS);
    this.#onWrite = (writer, file) => {
      if (agent !== undefined && writer !== agent) return;
      signalAll(pids, "SIGSTOP");
      const [before, now] = [known.get(file), headsOf(file)];
      known.set(file, now);
      if (hasCome(boundary, before, now)) {
        this.#onWrite = undefined;
        signalAll(pids, "SIGKILL");
        resolve(true);
      } else {
        signalAll(pids, "SIGCONT");
      }
    };
    const inTime = await promise;
    clearTimeout(timer);
    this.#onWrite = undefined;
    if (!inTime) signalAll(pids, "SIGKILL");
    return inTime;
  }

  /** The databases of an agent's sessions, or of all agents'. */
  #sessions(of: string | undefined): string[] {
    const folders = this.#job.sessionFolders.filter(({ agent }) => of === undefined || agent === of);
    return folders.flatMap(({ folder }) =>
      readdirSync(folder).flatMap((name) =>
        name.endsWith(".sqlite") && !name.startsWith("metadata") ? join(folder, name) : [],
      ),
    );
  }

  /** Resolves right after so many writes to logs, or when there is none for a while. */
  async writes(count: number): Promise<void> {
    let left = count;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, NO_WRITE_MS);
    this.#onWrite = () => {
      if (--left === 0) resolve();
    };
    await promise;
    clearTimeout(timer);
    this.#onWrite = undefined;
  }

  /**
   * When each of these tasks had got further than it was, in milliseconds since the epoch; without those that had not `limitMs` after
   * `back` has settled.
   */
  async takenUp(
    tasks: readonly LoggedTask[],
    back: Promise<unknown>,
    limitMs: number,
  ): Promise<ReadonlyMap<LoggedTask, number>> {
    const left = new Set(tasks);
    const times = new Map<LoggedTask, number>();
    const { promise, resolve } = Promise.withResolvers<void>();
    let timer: NodeJS.Timeout | undefined;
    void Promise.allSettled([back]).then(() => (timer = setTimeout(resolve, limitMs)));
    this.#onWrite = (agent, file) => {
      const now = Date.now();
      const heads = lookAt(file);
      for (const task of [...left].filter((other) => other.agent === agent)) {
        const head = heads?.get(headName(task));
        if (!head || !(head.at === "end" || head.lives > task.lives || head.steps > task.steps.length)) continue;
        times.set(task, now);
        left.delete(task);
      }
      if (left.size === 0) resolve();
    };
    await promise;
    clearTimeout(timer);
    this.#onWrite = undefined;
    return times;
  }

  /** Brings everything back that does not run, or waits until the supervisors have. Resolves to when the last process of the job began, in milliseconds since the epoch. */
  async revive(): Promise<number> {
    const { home, name, supervised } = this.#job;
    const called = Date.now();
    if (!supervised) await ensureControlPlane(home, (await buildWorkers(home)).bundles, SILENT_IO);
    const running = await this.#job.processes();
    if (supervised) await eventually(async () => this.#areBack(), BACK_MS, "the supervisors bring everything back");
    else if (running.length === 0) await this.#job.deployment.succeed("restart", name);
    else await this.#reviveAgents(running.map((process) => process.name));
    return Math.max(called, ...(await this.#job.processes()).map(({ identity }) => beginOf(identity)));
  }

  async #areBack(): Promise<true | undefined> {
    const { home, name } = this.#job;
    const { registry, model } = controlPlaneLayout(home);
    const all = await Promise.all([...(await jobProcesses(home, name)), registry, model].map(processStatus));
    const failed = all.find(({ state }) => state === "failed");
    if (failed) throw new Error(`The process ${failed.name} was given up: ${failed.lastEnd?.reason ?? ""}`);
    return all.every(({ state }) => state === "running") ? true : undefined;
  }

  async #reviveAgents(running: readonly string[]): Promise<void> {
    const { home, name } = this.#job;
    const layout = jobLayout(home, name);
    const state = await readJobState(home, name);
    const secrets = await readJobSecrets(layout.secrets);
    const controlPlane = await findControlPlane(home);
    if (!state || !secrets || !controlPlane) throw new Error(`${name} cannot be brought back.`);
    const plan = await readRelease(layout, state.release);
    const issuer = { job: name, controlPlane: controlPlane.secret };
    const gone = processesOf(plan).filter((process) => !running.includes(process.name));
    await Promise.all(
      gone.map(async (process) => {
        const own = layout.process(process.name);
        await endSupervised([own]);
        const values = secretValues(process.agents, secrets, issuer);
        await startSupervised({ process: own, secrets: values, restart: "never", urls: [] });
        // As every supervisor does with what it has started.
        const urls = process.agents.map(({ url }) => url);
        const areHealthy = async () =>
          (await Promise.all(urls.map((url) => isHealthy(url, LOOK_MS)))).every(Boolean) ? true : undefined;
        await eventually(areHealthy, BACK_MS, `${process.name} is healthy`);
      }),
    );
  }

  async #victims(what: Kill["what"]): Promise<RunningProcess[]> {
    if (what === "control-plane") {
      const identity = await lockHolder(controlPlaneLayout(this.#job.home).registry.dataLock);
      return identity ? [{ name: "control-plane", identity }] : [];
    }
    const processes = await this.#job.processes();
    return what === "all" ? processes : processes.filter(({ name }) => name === what);
  }

  async #gone(identities: readonly ProcessIdentity[]): Promise<void> {
    const look = async () => {
      const running = await Promise.all(identities.map(isRunning));
      return running.includes(true) ? undefined : true;
    };
    await eventually(look, GONE_MS, "what was killed is gone");
  }
}

/** Undefined where the file was just being written: the next write is another chance. */
function lookAt(file: string): Heads | undefined {
  try {
    return headsOf(file);
  } catch (error) {
    if (error instanceof Error && "errcode" in error) return undefined;
    throw error;
  }
}

/** Whether a task stands at the boundary that did not stand there before. */
function hasCome(boundary: Boundary, before: Heads | undefined, now: Heads): boolean {
  return [...now].some(([task, { at, steps }]) => {
    const then = before?.get(task);
    return at === boundary && (then?.at !== at || then.steps < steps);
  });
}

function signalAll(pids: readonly number[], signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
  for (const pid of pids) signalProcess(pid, signal);
}

/** Made of hundredths of a second since the machine was booted, as /proc has them; 0 where it does not. */
function beginOf({ started }: ProcessIdentity): number {
  if (process.platform !== "linux") return 0;
  return Date.now() - uptime() * 1000 + Number(started) * 10;
}
