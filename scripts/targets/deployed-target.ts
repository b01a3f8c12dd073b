// The target of jobs that are deployed: each is asked for where it runs.
import { CliError } from "../terminal/cli-error.ts";
import type { Io } from "../terminal/io.ts";
import { manyLines } from "../terminal/terminal-text.ts";
import type { TraceStore } from "../traces/store/store.ts";
import { CloudflareTarget } from "./cloudflare/cloudflare.ts";
import { HostsTarget } from "./hosts/hosts.ts";
import { DamagedError, readJobState } from "./local/state/state.ts";
import type { Deployed, JobStatus, KeyStore, LogLine, LogRequest, RollbackRequest, Target } from "./target.ts";

export class DeployedTarget implements Target {
  readonly #home: string;
  readonly #local: Target;
  readonly #hosts: HostsTarget;
  readonly #cloudflare: CloudflareTarget;

  constructor(home: string, local: Target) {
    this.#home = home;
    this.#local = local;
    this.#hosts = new HostsTarget(home);
    this.#cloudflare = new CloudflareTarget(home);
  }

  async deploy(): Promise<Deployed> {
    throw new CliError("failed", "A new release has a target of its own.");
  }

  async restart(job: string, io: Io): Promise<Deployed> {
    return (await this.#of(job)).restart(job, io);
  }

  async rollback(request: RollbackRequest, io: Io): Promise<Deployed> {
    return (await this.#of(request.job)).rollback(request, io);
  }

  async stop(job: string, io: Io): Promise<boolean> {
    return (await this.#of(job)).stop(job, io);
  }

  async status(job: string): Promise<JobStatus | undefined> {
    return (await this.#of(job)).status(job);
  }

  async *logs(request: LogRequest, io: Io): AsyncIterable<LogLine> {
    yield* (await this.#of(request.job)).logs(request, io);
  }

  async withTraces<Result>(
    jobs: readonly string[],
    io: Io,
    work: (stores: readonly TraceStore[]) => Promise<Result>,
  ): Promise<Result> {
    const far = new Map<string, TraceStore>();
    const near: string[] = [];
    for (const job of jobs) {
      const target = await this.#elsewhere(job);
      if (target === undefined) near.push(job);
      else {
        try {
          far.set(job, await target.traces(job, io));
        } catch (error) {
          // Of several jobs the others are shown.
          if (jobs.length === 1 || !(error instanceof CliError)) throw error;
          io.note(manyLines(`${error.message} ${error.next}`));
        }
      }
    }
    const all = async (stores: readonly TraceStore[]) => {
      const byJob = new Map([...far, ...near.map((job, index) => [job, stores[index]] as const)]);
      return work(jobs.flatMap((job) => byJob.get(job) ?? []));
    };
    // Without a job of this machine no control plane is started for it.
    return near.length === 0 ? all([]) : this.#local.withTraces(near, io, all);
  }

  async withKeys<Result>(job: string, io: Io, work: (keys: KeyStore) => Promise<Result>): Promise<Result> {
    return (await this.#of(job)).withKeys(job, io, work);
  }

  async #of(job: string): Promise<Target> {
    return (await this.#elsewhere(job)) ?? this.#local;
  }

  /** Undefined for a job of this machine, and for one whose state cannot be read. */
  async #elsewhere(job: string): Promise<HostsTarget | CloudflareTarget | undefined> {
    const state = await readJobState(this.#home, job).catch((error: unknown) => {
      if (error instanceof DamagedError) return undefined;
      throw error;
    });
    if (state?.cloudflare !== undefined) return this.#cloudflare;
    return state?.hosts === undefined ? undefined : this.#hosts;
  }
}
