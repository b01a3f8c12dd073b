// The target of jobs on Cloudflare: their agents are Workers there, and this machine holds their state, their plans and their secrets.
import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import type { ControlPlane } from "../local/control-plane/control-plane.ts";
import { isHealthy } from "../local/processes/health.ts";
import { changeJob } from "../local/state/change.ts";
import { Elsewhere } from "../elsewhere.ts";
import type { Deployed, DeployRequest, JobStatus, LogLine, LogRequest, RollbackRequest, Target } from "../target.ts";
import { knownControlPlane } from "./namespace.ts";
import { deployToCloudflare } from "./deploy.ts";
import { cloudflareLogs } from "./logs.ts";
import { rollbackOnCloudflare } from "./rollback.ts";
import { type CloudflareJob, cloudflareJob, cloudflareStatus } from "./status.ts";
import { startOnCloudflare, stopOnCloudflare } from "./stop.ts";

export class CloudflareTarget extends Elsewhere implements Target {
  readonly #home: string;

  /** `home` is the absolute path of the folder of deployment state. */
  constructor(home: string) {
    super();
    this.#home = home;
  }

  async deploy(request: DeployRequest, io: Io): Promise<Deployed> {
    return changeJob(this.#home, request.job.name, io, async () => deployToCloudflare(this.#home, request, io));
  }

  async restart(job: string, io: Io): Promise<Deployed> {
    return changeJob(this.#home, job, io, async () => startOnCloudflare(this.#home, await this.#deployed(job), io));
  }

  async rollback(request: RollbackRequest, io: Io): Promise<Deployed> {
    return changeJob(this.#home, request.job, io, async () =>
      rollbackOnCloudflare(this.#home, await this.#deployed(request.job), request, io),
    );
  }

  async stop(job: string, io: Io): Promise<boolean> {
    return changeJob(this.#home, job, io, async () => stopOnCloudflare(this.#home, await this.#deployed(job), io));
  }

  async status(job: string): Promise<JobStatus | undefined> {
    const found = await cloudflareJob(this.#home, job);
    return found && cloudflareStatus(this.#home, found);
  }

  async *logs(request: LogRequest, io: Io): AsyncGenerator<LogLine> {
    yield* cloudflareLogs(await this.#deployed(request.job), request, io);
  }

  protected override async controlPlane(job: string): Promise<ControlPlane> {
    const { cloudflare } = (await this.#deployed(job)).state;
    const controlPlane = await knownControlPlane(this.#home, { ...cloudflare, id: cloudflare.account });
    if (await isHealthy(controlPlane.url, LOOK_MS)) return controlPlane;
    throw new CliError("failed", `The control plane of ${job} at ${controlPlane.url} does not answer.`);
  }

  async #deployed(job: string): Promise<CloudflareJob> {
    const found = await cloudflareJob(this.#home, job);
    if (found === undefined) throw new CliError("bad_input", `${job} is not deployed on Cloudflare.`);
    return found;
  }
}

const LOOK_MS = 10_000;
