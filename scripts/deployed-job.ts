// From the name a user typed to a job that is deployed.
import { suggest } from "#shared/text/nearest.ts";

import { CliError } from "./cli-error.ts";
import { troupe } from "./hint.ts";
import { jobFiles } from "./job-files.ts";
import { troupeHome } from "./project.ts";
import { deployedJobs } from "./targets/local/state.ts";
import { type JobStatus, localTarget } from "./targets/target.ts";

/** The name itself, if it is that of a deployed job. Throws CliError with the nearest name otherwise. */
export async function requireDeployed(job: string): Promise<string> {
  const jobs = await deployedJobs(troupeHome());
  if (jobs.includes(job)) return job;
  const files = await jobFiles();
  if (files.has(job))
    throw new CliError("bad_input", `The job "${job}" is not deployed.`, `Deploy it: ${troupe`deploy ${job}`}`);
  const hint = suggest(job, new Set([...jobs, ...files.keys()]));
  throw new CliError("bad_input", `There is no job "${job}". ${hint}`, `Run: ${troupe`list`}`);
}

/** The status of a deployed job. Throws CliError when it is not deployed. */
export async function statusOf(job: string): Promise<JobStatus> {
  const status = await (await localTarget()).status(await requireDeployed(job));
  if (status === undefined) throw new CliError("bad_input", `The job "${job}" is not deployed.`);
  return status;
}

/** One agent of a status, by its id. Throws CliError with the nearest id. */
export function agentOf(status: JobStatus, id: string) {
  const agent = status.agents.find((candidate) => candidate.id === id);
  if (agent !== undefined) return agent;
  const ids = status.agents.map((candidate) => candidate.id);
  throw new CliError("bad_input", `${status.job} has no agent "${id}". ${suggest(id, ids)}`);
}
