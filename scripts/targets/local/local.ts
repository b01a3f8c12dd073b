// The local target: runs jobs as detached workerd processes on this machine.
import type { Io } from "../../terminal/io.ts";
import type { TraceStore } from "../../traces/store/store.ts";
import { changeJob } from "./state/change.ts";
import { deployJob } from "./deploy.ts";
import { readLogs } from "./logs.ts";
import { restartJob } from "./restart.ts";
import { rollbackJob } from "./rollback.ts";
import { readJobState } from "./state/state.ts";
import { jobStatus } from "./status.ts";
import type {
  Deployed,
  DeployRequest,
  JobStatus,
  KeyStore,
  LogLine,
  LogRequest,
  RollbackRequest,
  Target,
} from "../target.ts";
import { stopJob } from "./stop.ts";
import { withKeys } from "./control-plane/keys.ts";
import { withTraceStores } from "./control-plane/trace-stores.ts";

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

  async rollback(request: RollbackRequest, io: Io): Promise<Deployed> {
    return changeJob(this.#home, request.job, io, async () => rollbackJob(this.#home, request, io));
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

  async withKeys<Result>(job: string, io: Io, work: (keys: KeyStore) => Promise<Result>): Promise<Result> {
    return withKeys(this.#home, job, io, work);
  }
}
