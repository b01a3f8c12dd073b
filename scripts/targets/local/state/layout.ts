// Paths of the local target's files, all below one `.troupe` folder.
import { join } from "node:path";

export interface JobLayout {
  readonly folder: string;
  readonly state: string;
  /** Values of secrets, mode 0600. */
  readonly secrets: string;
  /** The job's certificate authority, mode 0600. */
  readonly authority: string;
  /** Held while a command changes the deployment. */
  readonly lock: string;
  /** Durable Objects' storage, one folder an agent. */
  readonly data: string;
  /** Copies of them, see snapshot.ts. */
  readonly snapshots: string;
  readonly logs: string;
  readonly releases: string;
  /** One folder a process, see ProcessLayout.room. */
  readonly rooms: string;
  process(name: string): ProcessLayout;
  release(number: number): string;
}

/** Paths of one workerd and its supervisor. */
export interface ProcessLayout {
  readonly name: string;
  readonly config: string;
  readonly log: string;
  /** Folder of Durable Objects' storage. */
  readonly data: string;
  /** Held by the workerd that serves the data. */
  readonly dataLock: string;
  /** The supervisor's folder: its lock, its report, and `machine`, which the Workers may read. */
  readonly room: string;
}

export function jobsFolder(home: string): string {
  return join(home, "jobs");
}

export function jobLayout(home: string, job: string): JobLayout {
  const folder = join(jobsFolder(home), job);
  const data = join(folder, "data");
  const logs = join(folder, "logs");
  const releases = join(folder, "releases");
  const rooms = join(folder, "processes");
  return {
    folder,
    state: join(folder, "state.json"),
    secrets: join(folder, "secrets.json"),
    authority: join(folder, "authority.json"),
    lock: join(folder, "lock"),
    data,
    snapshots: join(folder, "snapshots"),
    logs,
    releases,
    rooms,
    process: (name) => ({
      name,
      config: join(folder, name === JOB_PROCESS ? "config.capnp" : `config.${name}.capnp`),
      log: join(logs, `${name}.log`),
      data,
      dataLock: join(data, `${name}.lock`),
      room: join(rooms, name),
    }),
    release: (number) => join(releases, String(number)),
  };
}

/** Name of the process that runs all agents of a job. No agent can have it: their ids hold no `-`. */
export const JOB_PROCESS = "all-agents";

export function controlPlaneLayout(home: string) {
  const folder = join(home, "control-plane");
  const data = join(folder, "data");
  return {
    folder,
    state: join(folder, "state.json"),
    secret: join(folder, "secret"),
    /** How traces are kept and forwarded, mode 0600. */
    settings: join(folder, "trace-settings.json"),
    lock: join(folder, "lock"),
    registry: {
      name: "control-plane",
      config: join(folder, "config.capnp"),
      log: join(folder, "log"),
      data,
      dataLock: join(data, "lock"),
      room: join(folder, "processes", "control-plane"),
    } satisfies ProcessLayout,
    model: {
      name: "offline-model",
      config: join(folder, "offline-model.capnp"),
      log: join(folder, "offline-model.log"),
      data,
      dataLock: join(folder, "offline-model.lock"),
      room: join(folder, "processes", "offline-model"),
    } satisfies ProcessLayout,
  };
}
