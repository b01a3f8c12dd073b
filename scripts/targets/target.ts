// What every target can do. A target carries out a plan; it knows nothing of job files.
import type { Job } from "#jobs/schema.ts";
import type { Source } from "#jobs/source.ts";
import type { LeftOut } from "../corpus/left-out.ts";
import type { Io } from "../io.ts";
import type { TraceStore } from "../traces/store.ts";
import type { BreakerStatus } from "#shared/resilience/breaker.ts";

export interface DeployRequest {
  readonly job: Job;
  /** The text of the job file. */
  readonly source: Source;
  /** The job file, absolute. */
  readonly file: string;
  /** The folder of documents as typed; undefined when none was. */
  readonly corpus: string | undefined;
}

export interface Deployed {
  readonly status: JobStatus;
  /** From the start of the command until all agents were healthy. */
  readonly healthyMs: number;
  /** Files of folders of documents that were not read. */
  readonly leftOut?: readonly LeftOut[];
}

export interface LogRequest {
  readonly job: string;
  readonly agent: string | undefined;
  /** Only lines of traces whose id begins so. */
  readonly trace: string | undefined;
  /** How many of the last lines; before following. */
  readonly lines: number;
  readonly follow: boolean;
}

export interface LogLine {
  /** ISO 8601; null where the line does not say. */
  readonly time: string | null;
  readonly level: string;
  /** Null when it concerns the process as a whole. */
  readonly agent: string | null;
  readonly message: string;
  /** What the agent was at when it wrote the line; null where it does not say. */
  readonly traceId: string | null;
  readonly spanId: string | null;
}

export interface Target {
  deploy(request: DeployRequest, io: Io): Promise<Deployed>;
  /** Ends what runs of the job and starts the same release again. */
  restart(job: string, io: Io): Promise<Deployed>;
  /** Resolves to false when nothing of the job ran. Sessions are kept. */
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
}

export interface ProcessStatus {
  readonly name: string;
  /** Null while it does not run. */
  readonly pid: number | null;
  /** `dead`: it ended, and nobody starts it again. */
  readonly state: "running" | "restarting" | "dead" | "failed";
  /** Whether somebody starts it again when it ends; false for one whose supervisor was killed, and on Windows. */
  readonly supervised: boolean;
  /** How often it was started again since the last deployment or restart. */
  readonly restarts: number;
  /** How it ended last, since then; `at` is ISO 8601. */
  readonly lastEnd: { readonly at: string; readonly reason: string } | null;
}

export interface AgentStatus {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly state: "alive" | "suspect" | "dead" | "failed" | "starting" | "stopped";
  /** ISO 8601; null when none was ever heard. */
  readonly lastHeartbeat: string | null;
  /** What the agent itself says of backends and peers that fail it; none when it does not answer. */
  readonly breakers: readonly BreakerStatus[];
  /** Messages that it works on, and that wait for their turn; null when it does not say. */
  readonly turns: { readonly limit: number; readonly running: number; readonly waiting: number } | null;
}

export interface JobStatus {
  readonly job: string;
  readonly target: "local";
  /** The workerd of the job; with a process an agent, that of the entry point. Null when it does not run. */
  readonly pid: number | null;
  /** restarting: nothing of it runs at this moment. dead: nobody starts it again. failed: given up, because it ended each time. */
  readonly state: "running" | "degraded" | "restarting" | "stopped" | "dead" | "failed";
  readonly entryPoint: string;
  readonly controlPlane: string | null;
  readonly agents: readonly (AgentStatus & { readonly pid: number | null })[];
  /** The workerds of the job. */
  readonly processes: readonly ProcessStatus[];
  /** Those that all jobs share: control plane and offline model. */
  readonly shared: readonly ProcessStatus[];
}
