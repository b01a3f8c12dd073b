// Where the local target keeps what it needs, all below one `.troupe` folder.
import { join } from "node:path";

export interface JobLayout {
  readonly folder: string;
  readonly state: string;
  /** Values of secrets, mode 0600. */
  readonly secrets: string;
  /** Held while a command changes the deployment. */
  readonly lock: string;
  /** Durable Objects' storage, one folder an agent. */
  readonly data: string;
  readonly logs: string;
  readonly releases: string;
  config(process: string): string;
  log(process: string): string;
  /** Held by the workerd that serves the data of this process. */
  dataLock(process: string): string;
  release(number: number): string;
}

export function jobsFolder(home: string): string {
  return join(home, "jobs");
}

export function jobLayout(home: string, job: string): JobLayout {
  const folder = join(jobsFolder(home), job);
  const data = join(folder, "data");
  const logs = join(folder, "logs");
  const releases = join(folder, "releases");
  return {
    folder,
    state: join(folder, "state.json"),
    secrets: join(folder, "secrets.json"),
    lock: join(folder, "lock"),
    data,
    logs,
    releases,
    config: (process) => join(folder, process === JOB_PROCESS ? "config.capnp" : `config.${process}.capnp`),
    log: (process) => join(logs, `${process}.log`),
    dataLock: (process) => join(data, `${process}.lock`),
    release: (number) => join(releases, String(number)),
  };
}

/** Name of the process that runs all agents of a job. No agent can have it: their ids hold no `-`. */
export const JOB_PROCESS = "all-agents";

export function controlPlaneLayout(home: string) {
  const folder = join(home, "control-plane");
  return {
    folder,
    state: join(folder, "state.json"),
    secret: join(folder, "secret"),
    /** How traces are kept and forwarded, mode 0600. */
    settings: join(folder, "trace-settings.json"),
    lock: join(folder, "lock"),
    config: join(folder, "config.capnp"),
    data: join(folder, "data"),
    dataLock: join(folder, "data", "lock"),
    log: join(folder, "log"),
  };
}
