// The target of jobs on hosts: their processes run there, and this machine holds their state, their plans and their secrets.
import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import type { ControlPlane } from "../local/control-plane/control-plane.ts";
import { isHealthy } from "../local/processes/health.ts";
import { troupe } from "../../terminal/hint.ts";
import { changeJob } from "../local/state/change.ts";
import { Elsewhere } from "../elsewhere.ts";
import type { Deployed, DeployRequest, JobStatus, LogLine, LogRequest, RollbackRequest, Target } from "../target.ts";
import { deployToHosts } from "./deploy.ts";
import { controlPlaneOf, type HostsJob, hostsJob } from "./job-machines.ts";
import { readHostLogs } from "./logs.ts";
import { restartHostsJob } from "./restart.ts";
import { hostsStatus } from "./status.ts";
import { rollbackHostsJob } from "./rollback.ts";
import { stopHostsJob } from "./stop.ts";

export class HostsTarget extends Elsewhere implements Target {
  readonly #home: string;

  /** `home` is the absolute path of the folder of deployment state. */
  constructor(home: string) {
    super();
    this.#home = home;
  }

  async deploy(request: DeployRequest, io: Io): Promise<Deployed> {
    return changeJob(this.#home, request.job.name, io, async () => deployToHosts(this.#home, request, io));
  }

  async restart(job: string, io: Io): Promise<Deployed> {
    return changeJob(this.#home, job, io, async () => restartHostsJob(this.#home, await this.#deployed(job), io));
  }

  async rollback(request: RollbackRequest, io: Io): Promise<Deployed> {
    return changeJob(this.#home, request.job, io, async () =>
      rollbackHostsJob(this.#home, await this.#deployed(request.job), request, io),
    );
  }

  async stop(job: string, io: Io): Promise<boolean> {
    return changeJob(this.#home, job, io, async () => stopHostsJob(this.#home, await this.#deployed(job), io));
  }

  async status(job: string): Promise<JobStatus | undefined> {
    const found = await hostsJob(this.#home, job);
    return found && hostsStatus(this.#home, found, AbortSignal.timeout(STATUS_MS));
  }

  async *logs(request: LogRequest, io: Io): AsyncIterable<LogLine> {
    const { plan } = await this.#deployed(request.job);
    yield* readHostLogs(plan, request, io.signal);
  }

  /** Throws CliError where it does not run: traces and keys lie on its host. */
  protected override async controlPlane(job: string, io: Io): Promise<ControlPlane> {
    const deployed = await this.#deployed(job);
    const { state, plan } = deployed;
    const controlPlane = await controlPlaneOf(this.#home, deployed, io.signal);
    if (await isHealthy(controlPlane.url, LOOK_MS)) return controlPlane;
    const why = state.stoppedAt === null ? "does not answer" : `is stopped with ${job}`;
    throw new CliError(
      "failed",
      `The control plane of ${job} on ${plan.controlPlane.place}, which has its traces and keys, ${why}.`,
      state.stoppedAt === null ? `See: ${troupe`status ${job}`}` : `Start it again: ${troupe`restart ${job}`}`,
    );
  }

  async #deployed(job: string): Promise<HostsJob> {
    const found = await hostsJob(this.#home, job);
    if (found === undefined) throw new CliError("bad_input", `${job} is not deployed on hosts.`);
    return found;
  }
}

const STATUS_MS = 20_000;
const LOOK_MS = 5_000;
