// Which target carries out a job's plan.
import type { Job } from "#jobs/schema.ts";
import { CliError } from "../cli-error.ts";
import { troupe } from "../hint.ts";
import { troupeHome } from "../project.ts";
import type { Target } from "./target.ts";

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
