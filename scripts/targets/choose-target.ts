// Chooses the target that carries out a job's plan, or that already has.
import type { PlacementChoice } from "#jobs/placement/place-agents.ts";
import type { Place } from "#jobs/placement/place.ts";
import type { Reach } from "#jobs/placement/reach.ts";
import type { Job } from "#jobs/schema/schema.ts";
import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { troupeHome } from "../project/project.ts";
import type { Target } from "./target.ts";

/** The target that deploys a job. Throws CliError for a target that can only validate and plan so far. */
export async function targetOf(job: Job, placement?: PlacementChoice): Promise<Target> {
  const { placeAgents } = await import("#jobs/placement/place-agents.ts");
  const placed = placeAgents(job, placement);
  const kinds = new Set(placed.places.map(({ kind }) => kind));
  if (kinds.has("cloudflare")) throw planOnly(job, "on cloudflare", "set deployment.target to local");
  const { reachOf } = await import("#jobs/placement/reach.ts");
  if (needsTunnel(job, placed.places, reachOf(job, placed)))
    throw planOnly(job, "behind a tunnel", "give that host an address in the host file: address=…");
  return kinds.has("ssh") ? hostsTarget() : localTarget();
}

/** In a dynamic topology every agent may ask every other. */
function needsTunnel({ topology }: Job, places: readonly Place[], { edges, links }: Reach): boolean {
  const isAnyAsked = topology.type === "dynamic" && places.length > 1;
  return (
    edges.some(({ via }) => via === "tunnel") ||
    links.some(({ toControlPlane }) => toControlPlane === "tunnel") ||
    (isAnyAsked && places.some(({ expose }) => expose === "tunnel"))
  );
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
