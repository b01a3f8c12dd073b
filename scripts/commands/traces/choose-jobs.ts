// Chooses the jobs whose traces are read: the named one, else all deployed ones, running or not.
import { CliError } from "../../terminal/cli-error.ts";
import { requireDeployed } from "../../jobs/deployed-job.ts";
import { troupe } from "../../terminal/hint.ts";
import { troupeHome } from "../../project/project.ts";
import { deployedJobs } from "../../targets/local/state/state.ts";

/** Returns at least one job. Throws CliError where none is deployed, or not the named one. */
export async function chooseJobs(named: string | undefined): Promise<string[]> {
  if (named !== undefined) return [await requireDeployed(named)];
  const jobs = await deployedJobs(troupeHome());
  if (jobs.length > 0) return jobs;
  throw new CliError("failed", "No job is deployed, so there are no traces.", `Begin with: ${troupe`start`}`);
}
