// Finds the deployed job that a user named.
import { resolve } from "node:path";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { suggest } from "#shared/text/nearest.ts";
import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { isYaml, jobFiles } from "./job-files.ts";
import { troupeHome } from "../project/project.ts";
import { jobLayout } from "../targets/local/state/layout.ts";
import { readRelease } from "../targets/local/state/release.ts";
import { deployedJobs, readJobState } from "../targets/local/state/state.ts";
import type { JobStatus } from "../targets/target.ts";
import { deployedTarget } from "../targets/choose-target.ts";

/** The name of a deployed job, given its name or the path of its file. Throws CliError, which suggests the nearest name. */
export async function requireDeployed(job: string): Promise<string> {
  const home = troupeHome();
  const jobs = await deployedJobs(home);
  if (jobs.includes(job)) return job;
  if (isYaml(job)) return deployedFrom(home, jobs, job);
  const files = await jobFiles();
  if (files.has(job))
    throw new CliError("bad_input", `The job "${job}" is not deployed.`, `Deploy it: ${troupe`deploy ${job}`}`);
  const hint = suggest(job, new Set([...jobs, ...files.keys()]));
  throw new CliError("bad_input", `There is no job "${job}". ${hint}`, `Run: ${troupe`list`}`);
}

async function deployedFrom(home: string, jobs: readonly string[], path: string): Promise<string> {
  const states = await Promise.all(jobs.map(async (job) => readJobState(home, job)));
  const file = resolve(path);
  const from = states.filter((state) => state?.file === file).map((state) => state?.job ?? "");
  const [only, ...others] = from;
  if (only === undefined) {
    throw new CliError("bad_input", `No job was deployed from ${path}.`, `Deploy it: ${troupe`deploy ${path}`}`);
  }
  if (others.length === 0) return only;
  throw new CliError(
    "bad_input",
    `Several jobs were deployed from ${path}: ${from.join(", ")}.`,
    "Type the name of one.",
  );
}

/** The status of a deployed job. Throws CliError when it is not deployed. */
export async function statusOf(job: string): Promise<JobStatus> {
  const status = await (await deployedTarget()).status(await requireDeployed(job));
  if (status === undefined) throw new CliError("bad_input", `The job "${job}" is not deployed.`);
  return status;
}

/** The plan of the release that runs, or ran last. Throws CliError when the job is not deployed. */
export async function deployedPlan(job: string): Promise<Plan> {
  const home = troupeHome();
  const state = await readJobState(home, await requireDeployed(job));
  if (state === undefined) throw new CliError("bad_input", `The job "${job}" is not deployed.`);
  return readRelease(jobLayout(home, state.job), state.release);
}

/** One agent of a status, by its id. Throws CliError, which suggests the nearest id. */
export function agentOf(status: JobStatus, id: string) {
  const agent = status.agents.find((candidate) => candidate.id === id);
  if (agent !== undefined) return agent;
  const ids = status.agents.map((candidate) => candidate.id);
  const remote = status.remotes.find((candidate) => candidate.id === id);
  if (remote !== undefined) {
    const hint = `Ask it by its address: ${troupe`query ${remote.url} "…"`}`;
    throw new CliError("bad_input", `The agent "${id}" of ${status.job} is remote: the job's agents ask it.`, hint);
  }
  throw new CliError("bad_input", `${status.job} has no agent "${id}". ${suggest(id, ids)}`);
}
