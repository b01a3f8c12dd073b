// The status of a deployment: the registry's answer, compared with the processes that run.
import { askHealth } from "./processes/health.ts";
import { findControlPlane } from "./control-plane/control-plane.ts";
import { processesOf } from "./processes/job-config.ts";
import { controlPlaneLayout, jobLayout } from "./state/layout.ts";
import { type RegisteredAgent, registeredAgents } from "./control-plane/registry.ts";
import { readRelease } from "./state/release.ts";
import type { JobState } from "./state/state.ts";
import { processStatus } from "./processes/supervisor.ts";
import type { ProcessStatus, JobStatus, AgentStatus } from "../target.ts";

const LOOK_MS = 2_000;

export async function jobStatus(home: string, state: JobState): Promise<JobStatus> {
  const plan = await readRelease(jobLayout(home, state.job), state.release);
  const layout = jobLayout(home, state.job);
  const { registry, model } = controlPlaneLayout(home);
  const shared = await Promise.all([registry, model].map(processStatus));
  const processes = await Promise.all(processesOf(plan).map(async ({ name }) => processStatus(layout.process(name))));
  const controlPlane = await findControlPlane(home);
  const registered = controlPlane === undefined ? undefined : await registeredAgents(controlPlane, state.job);
  const agents = await Promise.all(
    processesOf(plan).flatMap((process) =>
      process.agents.map(async ({ id, url }) => {
        const own = processes.find(({ name }) => name === process.name);
        const pid = own?.pid ?? null;
        const known = registered?.find((agent) => agent.id === id);
        const health = pid === null ? undefined : await askHealth(url, LOOK_MS);
        const facts = {
          stopped: state.stoppedAt !== null,
          process: own?.state ?? "dead",
          // Without a registry only the agent itself can be asked.
          healthy: health !== undefined,
        };
        return {
          id,
          name: known?.name ?? id,
          url,
          state: registered === undefined ? unregisteredState(facts) : agentState(known, facts),
          lastHeartbeat: known?.lastHeartbeat ?? null,
          probed: true,
          pid,
          breakers: health?.breakers ?? [],
          turns: health?.turns ?? null,
        };
      }),
    ),
  );
  const entry = agents.find(({ id }) => id === plan.entryPoint);
  return {
    job: state.job,
    target: "local",
    pid: entry?.pid ?? null,
    state: overall(state, processes),
    entryPoint: plan.entryPoint,
    controlPlane: registered === undefined ? null : (controlPlane?.url ?? null),
    agents,
    remotes: plan.remotes.map(({ id, url, card }) => ({ id, url, name: card?.name ?? id })),
    processes,
    shared,
  };
}

interface Facts {
  readonly stopped: boolean;
  readonly process: ProcessStatus["state"];
  readonly healthy: boolean;
}

/** The registry's state of an agent whose process runs. A process that is gone counts at once, before the lease ends. */
export function agentState(known: RegisteredAgent | undefined, facts: Facts): AgentStatus["state"] {
  return stateWithoutProcess(facts) ?? known?.state ?? "starting";
}

/** The same without a registry. */
export function unregisteredState(facts: Facts): AgentStatus["state"] {
  return stateWithoutProcess(facts) ?? (facts.healthy ? "alive" : "dead");
}

function stateWithoutProcess({ stopped, process }: Facts): AgentStatus["state"] | undefined {
  if (stopped) return "stopped";
  switch (process) {
    case "running":
      return undefined;
    case "restarting":
      return "starting";
    case "dead":
    case "failed":
    case "unreachable":
      return process;
  }
}

/** The state of a job as its processes tell it. */
export function overall({ stoppedAt }: JobState, processes: readonly ProcessStatus[]): JobStatus["state"] {
  if (stoppedAt !== null) return "stopped";
  const states = new Set(processes.map(({ state }) => state));
  if (states.has("running")) return states.size === 1 ? "running" : "degraded";
  for (const state of ["restarting", "failed", "unreachable"] as const) if (states.has(state)) return state;
  return "dead";
}
