// Chooses the target that carries out a job's plan.
import { ownAgents } from "#jobs/schema/remote.ts";
import type { Job } from "#jobs/schema/schema.ts";
import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { troupeHome } from "../project/project.ts";
import type { Target } from "./target.ts";

/** The target that deploys a job. Throws CliError for a target that can only validate and plan so far. */
export async function targetOf(job: Pick<Job, "name" | "deployment" | "agents">): Promise<Target> {
  const wanted = [
    job.deployment.target,
    ...ownAgents(job.agents).map((agent) => agent.target ?? job.deployment.target),
  ];
  const other = wanted.find((name) => name !== "local");
  if (other !== undefined) {
    throw new CliError(
      "bad_input",
      `${job.name} runs on ${other}. This version can only validate and plan such a job.`,
      `Run: ${troupe`plan ${job.name}`}, or set deployment.target to local.`,
    );
  }
  return localTarget();
}

/** The target of jobs on this machine. */
export async function localTarget(): Promise<Target> {
  const { LocalTarget } = await import("./local/local.ts");
  return new LocalTarget(troupeHome());
}
