// The local target: jobs as detached workerd processes on this machine.
import type { Io } from "../io.ts";
import type { TraceStore } from "../traces/store.ts";
import { changeJob } from "./local/change.ts";
import { deployJob } from "./local/deploy.ts";
import { readLogs } from "./local/logs.ts";
import { restartJob } from "./local/restart.ts";
import { readJobState } from "./local/state.ts";
import { jobStatus } from "./local/status.ts";
import type { JobStatus, Deployed, DeployRequest, LogLine, LogRequest, Target } from "./target.ts";
import { stopJob } from "./local/stop.ts";
import { withTraceStores } from "./local/trace-stores.ts";

export class LocalTarget implements Target {
  readonly #home: string;

  /** `home` is the absolute path of the folder of deployment state. */
  constructor(home: string) {
    this.#home = home;
  }

  async deploy(request: DeployRequest, io: Io): Promise<Deployed> {
    return changeJob(this.#home, request.job.name, io, async () => deployJob(this.#home, request, io));
  }

  async restart(job: string, io: Io): Promise<Deployed> {
    return changeJob(this.#home, job, io, async () => restartJob(this.#home, job, io));
  }

  async stop(job: string, io: Io): Promise<boolean> {
    return changeJob(this.#home, job, io, async () => stopJob(this.#home, job, io), { withoutRoom: true });
  }

  async status(job: string): Promise<JobStatus | undefined> {
    const state = await readJobState(this.#home, job);
    return state === undefined ? undefined : jobStatus(this.#home, state);
  }

  logs(request: LogRequest, io: Io): AsyncIterable<LogLine> {
    return readLogs(this.#home, request, io.signal);
  }

  async withTraces<Result>(
    jobs: readonly string[],
    io: Io,
    work: (stores: readonly TraceStore[]) => Promise<Result>,
  ): Promise<Result> {
    return withTraceStores(this.#home, jobs, io, work);
  }
}
