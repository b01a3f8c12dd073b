// Chooses the target that carries out a job's plan.
import { placeAgents, type PlacementChoice } from "#jobs/placement/place-agents.ts";
import type { Job } from "#jobs/schema/schema.ts";
import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { troupeHome } from "../project/project.ts";
import type { Target } from "./target.ts";

/** The target that deploys a job. Throws CliError for a place that can only be planned so far. */
export async function targetOf(job: Job, placement: PlacementChoice): Promise<Target> {
  const other = placeAgents(job, placement).places.find(({ kind }) => kind !== "local");
  if (other !== undefined) {
    throw new CliError(
      "bad_input",
      `${job.name} runs on ${other.id}. This version can only validate and plan such a job.`,
      `Run: ${troupe`plan ${job.name}`}, or deploy all of it here: ${troupe`deploy ${job.name} --target local`}`,
    );
  }
  return localTarget();
}

/** The target of jobs on this machine. */
export async function localTarget(): Promise<Target> {
  const { LocalTarget } = await import("./local/local.ts");
  return new LocalTarget(troupeHome());
}
