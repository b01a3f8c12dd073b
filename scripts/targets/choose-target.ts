// Chooses the target that carries out a job's plan, or that already has.
import type { PlacementChoice } from "#jobs/placement/place-agents.ts";
import type { Job } from "#jobs/schema/schema.ts";
import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { troupeHome } from "../project/project.ts";
import type { Target } from "./target.ts";

/** The target that deploys a job. Throws CliError for places that can only be planned so far. */
export async function targetOf(job: Job, placement?: PlacementChoice): Promise<Target> {
  const { placeAgents } = await import("#jobs/placement/place-agents.ts");
  const placed = placeAgents(job, placement);
  const kinds = new Set(placed.places.map(({ kind }) => kind));
  if (kinds.has("cloudflare")) {
    if (kinds.size > 1)
      throw planOnly(job, "on Cloudflare and elsewhere", "give all agents one target: --target cloudflare");
    return cloudflareTarget();
  }
  return kinds.has("ssh") ? hostsTarget() : localTarget();
}

function planOnly({ name }: Job, where: string, next: string): CliError {
  return new CliError(
    "bad_input",
    `${name} runs ${where}. This version can only validate and plan such a job.`,
    `Run: ${troupe`plan ${name}`}, or ${next}.`,
  );
}

/** The target of deployed jobs, wherever each of them runs. */
export async function deployedTarget(): Promise<Target> {
  const { DeployedTarget } = await import("./deployed-target.ts");
  return new DeployedTarget(troupeHome(), await localTarget());
}

async function localTarget(): Promise<Target> {
  const { LocalTarget } = await import("./local/local.ts");
  return new LocalTarget(troupeHome());
}

async function hostsTarget(): Promise<Target> {
  const { HostsTarget } = await import("./hosts/hosts.ts");
  return new HostsTarget(troupeHome());
}

async function cloudflareTarget(): Promise<Target> {
  const { CloudflareTarget } = await import("./cloudflare/cloudflare.ts");
  return new CloudflareTarget(troupeHome());
}
