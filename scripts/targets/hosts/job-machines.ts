// The machines of a deployed job, and its control plane as this machine reaches it.
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { type Place, placeOf } from "#jobs/placement/place.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { troupe } from "../../terminal/hint.ts";
import type { ControlPlane } from "../local/control-plane/control-plane.ts";
import { jobLayout } from "../local/state/layout.ts";
import { readRelease } from "../local/state/release.ts";
import { readJobSecrets } from "../local/state/secrets.ts";
import { type JobState, readJobState } from "../local/state/state.ts";
import { Machine } from "./machine/machine.ts";
import { shellAt, reach } from "./reach.ts";

export interface HostsJob {
  readonly state: JobState;
  readonly plan: Plan;
}

/** The state of a job that runs on hosts, and its plan; undefined for a job that was never deployed, or that is of this machine alone. */
export async function hostsJob(home: string, job: string): Promise<HostsJob | undefined> {
  const state = await readJobState(home, job);
  if (state?.hosts === undefined) return undefined;
  return { state, plan: await readRelease(jobLayout(home, job), state.release) };
}

/** The machine of a place. Throws CliError where it cannot be reached. */
export async function machineAt(place: Place, job: string, signal: AbortSignal): Promise<Machine> {
  return new Machine(place.id, await shellAt(place, signal), job);
}

/** Place → its machine. Throws CliError where one cannot be reached. */
export async function machinesOf(plan: Plan, signal: AbortSignal): Promise<ReadonlyMap<string, Machine>> {
  const all = plan.places.map(async (place) => [place.id, await machineAt(place, plan.job, signal)] as const);
  return new Map(await Promise.all(all));
}

/** The job's control plane. Throws CliError where its host cannot be reached. */
export async function controlPlaneOf(
  home: string,
  { state, plan }: HostsJob,
  signal: AbortSignal,
): Promise<ControlPlane> {
  const secrets = await readJobSecrets(jobLayout(home, state.job).secrets);
  if (secrets?.controlPlane === undefined)
    throw new CliError(
      "failed",
      `The secret of ${state.job}'s control plane is missing.`,
      `Run: ${troupe`deploy ${state.job}`}`,
    );
  return controlPlaneAt(plan, state.hosts?.controlPlanePort ?? 0, secrets.controlPlane, signal);
}

/** The control plane of a plan that may not be deployed yet. */
export async function controlPlaneAt(
  plan: Plan,
  port: number,
  secret: string,
  signal: AbortSignal,
): Promise<ControlPlane> {
  const url = await reach(placeOf(plan, plan.controlPlane.place), port, signal);
  return { url, port: Number(new URL(url).port), modelPort: 0, secret };
}
