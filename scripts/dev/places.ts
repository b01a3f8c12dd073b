// Where agents run under `wrangler dev`: all as Workers of Cloudflare, wherever the job places them.
import { placeAgents } from "#jobs/placement/place-agents.ts";
import { reachOf } from "#jobs/placement/reach.ts";
import type { Job } from "#jobs/schema/schema.ts";
import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";

export const DEV_PLACEMENT = { target: "cloudflare" } as const;

/** Throws CliError for a job that cannot run this way. */
export function refusePlaces(job: Job): void {
  const deploy = `Deploy it: ${troupe`deploy ${job.name}`}`;
  if (placeAgents(job).places.some(({ kind }) => kind === "ssh")) {
    const which = "only jobs of this machine and of Cloudflare run under wrangler dev";
    throw new CliError("bad_input", `${job.name} has agents on hosts: ${which}.`, deploy);
  }
  const [mistake] = reachOf(job, placeAgents(job, DEV_PLACEMENT)).mistakes;
  if (mistake === undefined) return;
  throw new CliError("bad_input", `${job.name} cannot run under wrangler dev: ${mistake.message}.`, deploy);
}
