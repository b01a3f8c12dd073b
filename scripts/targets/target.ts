// What every target can do. A target carries out a plan; it knows nothing of job files.
import type { Job } from "#jobs/schema.ts";
import type { Source } from "#jobs/source.ts";

import { CliError } from "../cli-error.ts";
import type { LeftOut } from "../corpus/left-out.ts";
import { troupe } from "../hint.ts";
import type { Io } from "../io.ts";
import { troupeHome } from "../project.ts";
import type { TraceStore } from "../traces/store.ts";
import type { JobStatus } from "./local/status.ts";

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

export type { JobStatus };

/** The target that deploys a job. Throws CliError for those that only plan so far. */
export async function targetOf(job: Pick<Job, "name" | "deployment" | "agents">): Promise<Target> {
  const wanted = [job.deployment.target, ...job.agents.map((agent) => agent.target ?? job.deployment.target)];
  const other = wanted.find((name) => name !== "local");
  if (other !== undefined) {
    throw new CliError(
      "bad_input",
      `${job.name} is to run on ${other}. Deploying to ${other} comes later; for now such a job can be validated and planned.`,
      `Run: ${troupe`plan ${job.name}`}, or set deployment.target to local.`,
    );
  }
  return localTarget();
}

/** The target of jobs on this machine. */
export async function localTarget(): Promise<Target> {
  const { LocalTarget } = await import("./local.ts");
  return new LocalTarget(troupeHome());
}
