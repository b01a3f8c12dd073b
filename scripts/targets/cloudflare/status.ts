// The status of a job on Cloudflare: the registry's answer, compared with what the agents say themselves.
import { type Plan, publicUrlOf } from "#jobs/plan/plan-shape.ts";
import { knowOnCloudflare } from "../../project/own-fetch.ts";
import { type RegisteredAgent, registeredAgents } from "../local/control-plane/registry.ts";
import { askHealth } from "../local/processes/health.ts";
import { jobLayout } from "../local/state/layout.ts";
import { readRelease } from "../local/state/release.ts";
import { type JobState, type OnCloudflare, readJobState } from "../local/state/state.ts";
import type { AgentStatus, JobStatus } from "../target.ts";
import { knownControlPlane } from "./namespace.ts";

const LOOK_MS = 5_000;

export interface CloudflareJob {
  readonly state: JobState & { readonly cloudflare: OnCloudflare };
  readonly plan: Plan;
}

/** Undefined for a job that is not on Cloudflare. */
export async function cloudflareJob(home: string, job: string): Promise<CloudflareJob | undefined> {
  const state = await readJobState(home, job);
  if (state?.cloudflare === undefined) return undefined;
  const plan = await readRelease(jobLayout(home, job), state.release);
  knowOnCloudflare(plan.agents.map(({ url }) => url));
  return { state: { ...state, cloudflare: state.cloudflare }, plan };
}

export async function cloudflareStatus(home: string, { state, plan }: CloudflareJob): Promise<JobStatus> {
  const { cloudflare, stoppedAt, job } = state;
  const controlPlane = await knownControlPlane(home, { ...cloudflare, id: cloudflare.account });
  const isStopped = stoppedAt !== null;
  const [registered, ...health] = await Promise.all([
    registeredAgents(controlPlane, job),
    ...plan.agents.map(async ({ url }) => (isStopped ? undefined : askHealth(url, LOOK_MS))),
  ]);
  const agents = plan.agents.map(({ id, url, place, ...addresses }, index) => {
    const publicUrl = publicUrlOf(addresses);
    const known = registered?.find((other) => other.id === id);
    const own = health[index];
    const state = isStopped ? "stopped" : stateOf(known, own !== undefined);
    return {
      id,
      name: known?.name ?? id,
      url,
      ...(publicUrl === undefined || publicUrl === url ? {} : { publicUrl }),
      place,
      state,
      lastHeartbeat: known?.lastHeartbeat ?? null,
      probed: true,
      pid: null,
      breakers: own?.breakers ?? [],
      turns: own?.turns ?? null,
    };
  });
  return {
    job,
    target: "cloudflare",
    pid: null,
    state: overall(
      isStopped,
      agents.map(({ state }) => state),
    ),
    entryPoint: plan.entryPoint,
    controlPlane: registered === undefined ? null : controlPlane.url,
    agents,
    remotes: plan.remotes.map(({ id, url, card }) => ({ id, url, name: card?.name ?? id })),
    processes: [],
    shared: [],
  };
}

/** What does not answer this machine may answer others: then the registry, which asks it too, knows more. */
function stateOf(known: RegisteredAgent | undefined, isHealthy: boolean): AgentStatus["state"] {
  if (isHealthy) return known?.state ?? "starting";
  return known?.state === "alive" ? "suspect" : "dead";
}

function overall(isStopped: boolean, states: readonly string[]): JobStatus["state"] {
  if (isStopped) return "stopped";
  const dead = states.filter((state) => state === "dead").length;
  if (dead === states.length) return "dead";
  return dead > 0 ? "degraded" : "running";
}
