// What targets of jobs elsewhere share: each job's traces and keys are at a control plane that this machine asks.
import { TraceStore } from "../traces/store/store.ts";
import type { Io } from "../terminal/io.ts";
import type { ControlPlane } from "./local/control-plane/control-plane.ts";
import { Keys } from "./local/control-plane/keys.ts";
import { jobToken } from "./local/state/secrets.ts";
import type { KeyStore } from "./target.ts";

export abstract class Elsewhere {
  /** Throws CliError where it does not answer. */
  protected abstract controlPlane(job: string, io: Io): Promise<ControlPlane>;

  async withTraces<Result>(
    jobs: readonly string[],
    io: Io,
    work: (stores: readonly TraceStore[]) => Promise<Result>,
  ): Promise<Result> {
    return work(await Promise.all(jobs.map(async (job) => this.traces(job, io))));
  }

  async traces(job: string, io: Io): Promise<TraceStore> {
    const { url, secret } = await this.controlPlane(job, io);
    return new TraceStore({ job, url, token: jobToken(secret, job), signal: io.signal });
  }

  async withKeys<Result>(job: string, io: Io, work: (keys: KeyStore) => Promise<Result>): Promise<Result> {
    const { url, secret } = await this.controlPlane(job, io);
    return work(new Keys(url, jobToken(secret, job), io.signal));
  }
}
