// The operations of every target. A target carries out a plan; it does not read job files.
import type * as z from "zod";
import type { Key, MadeKey, NewKey } from "#shared/control-plane/keys.ts";
import type { PlacementChoice } from "#jobs/placement/place-agents.ts";
import type { Job } from "#jobs/schema/schema.ts";
import type { Source } from "#jobs/file/source.ts";
import type { LeftOut } from "../corpus/left-out.ts";
import type { Io } from "../terminal/io.ts";
import type { TraceStore } from "../traces/store/store.ts";
import type { BreakerStatus } from "#shared/resilience/breaker.ts";

export interface DeployRequest {
  readonly job: Job;
  /** The text of the job file. */
  readonly source: Source;
  /** The job file, absolute. */
  readonly file: string;
  /** The folder of documents as typed; undefined without --corpus. */
  readonly corpus: string | undefined;
  /** What the command line says about places; the job was checked with it. */
  readonly placement: PlacementChoice;
  /** Whether data of agents may be deleted, where the deployment leaves no place for them. */
  readonly mayLoseData: boolean;
}

export interface Deployed {
  readonly status: JobStatus;
  /** From the start of the command until all agents were healthy. */
  readonly healthyMs: number;
  /** How long nothing answered while the release took the place of another; absent where that is not measured. */
  readonly gapMs?: number;
  /** Files in the folders of documents that were not read. */
  readonly leftOut?: readonly LeftOut[];
}

export interface RollbackRequest {
  readonly job: string;
  /** A release; the one before the present one when undefined. */
  readonly to: number | undefined;
  /** Whether its own data take the place of the present ones. */
  readonly restoreData: boolean;
}

export interface LogRequest {
  readonly job: string;
  readonly agent: string | undefined;
  /** Only lines of traces whose id begins with this. */
  readonly trace: string | undefined;
  /** How many of the last lines to begin with. */
  readonly lines: number;
  readonly follow: boolean;
}

export interface LogLine {
  /** ISO 8601; null for a line without a time. */
  readonly time: string | null;
  readonly level: string;
  /** Null for a line of the whole process. */
  readonly agent: string | null;
  readonly message: string;
  /** The span in which the agent wrote the line; null for a line without one. */
  readonly traceId: string | null;
  readonly spanId: string | null;
}

export interface Target {
  deploy(request: DeployRequest, io: Io): Promise<Deployed>;
  /** Ends the job's processes and starts the same release again. */
  restart(job: string, io: Io): Promise<Deployed>;
  /** Returns to a release that ran before. */
  rollback(request: RollbackRequest, io: Io): Promise<Deployed>;
  /** Resolves to false when the job did not run. Sessions are kept. */
  stop(job: string, io: Io): Promise<boolean>;
  /** Undefined when the job was never deployed here. */
  status(job: string): Promise<JobStatus | undefined>;
  logs(request: LogRequest, io: Io): AsyncIterable<LogLine>;
  /** Runs `work` with the traces of each of these jobs, in their order, whether they run or not. */
  withTraces<Result>(
    jobs: readonly string[],
    io: Io,
    work: (stores: readonly TraceStore[]) => Promise<Result>,
  ): Promise<Result>;
  /** Runs `work` with the keys of a job, whether it runs or not. */
  withKeys<Result>(job: string, io: Io, work: (keys: KeyStore) => Promise<Result>): Promise<Result>;
}

/** The keys of a job. Methods throw CliError. */
export interface KeyStore {
  create(key: z.input<typeof NewKey>): Promise<MadeKey>;
  list(): Promise<readonly Key[]>;
  /** May be repeated. */
  revoke(name: string): Promise<void>;
}

export interface ProcessStatus {
  readonly name: string;
  /** The host on which it runs; absent on this machine. */
  readonly place?: string;
  /** Null while the process does not run. */
  readonly pid: number | null;
  /** `dead`: the process ended and is not restarted. */
  readonly state: "running" | "restarting" | "dead" | "failed" | "unreachable";
  /** Whether a supervisor restarts the process; false after the supervisor was killed, and on Windows. */
  readonly supervised: boolean;
  /** Restarts by the supervisor since the last deployment or restart of the job. */
  readonly restarts: number;
  /** The last end of the process since then; `at` is ISO 8601. */
  readonly lastEnd: { readonly at: string; readonly reason: string } | null;
}

export interface AgentStatus {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  /** Where others reach it on Cloudflare, beside `url`. */
  readonly publicUrl?: string;
  /** The host on which it runs; absent on this machine. */
  readonly place?: string;
  /** unreachable: its host does not answer this machine. */
  readonly state: "alive" | "suspect" | "dead" | "failed" | "starting" | "stopped" | "unreachable";
  /** ISO 8601; null before the first one. */
  readonly lastHeartbeat: string | null;
  /** Whether the control plane asks a silent agent for its health; if not, its heartbeats alone count. */
  readonly probed: boolean;
  /** Backends and peers that fail, as the agent itself tells; empty when the agent does not answer. */
  readonly breakers: readonly BreakerStatus[];
  /** Turns that run, and that wait in line; null when the agent does not tell. */
  readonly turns: { readonly limit: number; readonly running: number; readonly waiting: number } | null;
}

export interface RemoteStatus {
  readonly id: string;
  /** As the card says; the id before the card was read. */
  readonly name: string;
  readonly url: string;
  /** Whether the card can be read now; undefined where nobody looked. */
  readonly reachable?: boolean;
}

/** The ssh tunnels of a job: its hosts reach each other through them only while this machine holds them. */
export interface TunnelsStatus {
  /** Who holds them; null when nobody does. */
  readonly pid: number | null;
  /** Path of the holder's log. */
  readonly log: string;
  readonly hosts: readonly {
    readonly place: string;
    readonly state: "up" | "connecting" | "down";
    /** ISO 8601; null where nobody holds it. */
    readonly since: string | null;
    /** Why it is down; else empty. */
    readonly reason: string;
  }[];
}

export interface JobStatus {
  readonly job: string;
  /** Where its agents run: on this machine, on hosts, or as Workers on Cloudflare. */
  readonly target: "local" | "hosts" | "cloudflare";
  /** The job's workerd; where each agent has a process, that of the entry point. Null when it does not run. */
  readonly pid: number | null;
  /**
   * restarting: no process runs at this moment. dead: no supervisor restarts it. failed: it ended at each start and was
   * given up. unreachable: no host of the job answers.
   */
  readonly state: "running" | "degraded" | "restarting" | "stopped" | "dead" | "failed" | "unreachable";
  readonly entryPoint: string;
  readonly controlPlane: string | null;
  /** When the certificates by which its hosts know each other end: ISO 8601. Absent on this machine. */
  readonly certificatesEnd?: string | undefined;
  readonly agents: readonly (AgentStatus & { readonly pid: number | null })[];
  /** Agents of others that the job may ask. `url`: the card's. */
  readonly remotes: readonly RemoteStatus[];
  /** The workerds of the job. */
  readonly processes: readonly ProcessStatus[];
  /** Absent for a job without tunnels. */
  readonly tunnels?: TunnelsStatus;
  /** Processes that all jobs share: control plane and offline model. */
  readonly shared: readonly ProcessStatus[];
}
