// How a deployment is: what the registry says, held against whether the processes live.
import type { BreakerStatus } from "#shared/loop/breaker.ts";

import { type AgentHealth, askHealth } from "./health.ts";
import { findControlPlane } from "./control-plane.ts";
import { processesOf } from "./job-config.ts";
import { jobLayout } from "./layout.ts";
import { type RegisteredAgent, registeredAgents } from "./registry.ts";
import { readRelease } from "./release.ts";
import { type JobState, runningProcesses } from "./state.ts";

interface AgentStatus {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly state: "alive" | "suspect" | "dead" | "starting" | "stopped";
  /** ISO 8601; null when none was ever heard. */
  readonly lastHeartbeat: string | null;
  /** What the agent itself says of backends and peers that fail it; none when it does not answer. */
  readonly breakers: readonly BreakerStatus[];
  /** Messages that it works on, and that wait for their turn; null when it does not say. */
  readonly turns: AgentHealth["turns"];
}

export interface JobStatus {
  readonly job: string;
  readonly target: "local";
  /** The workerd of the job; with a process an agent, that of the entry point. Null when it does not run. */
  readonly pid: number | null;
  readonly state: "running" | "degraded" | "stopped" | "dead";
  readonly entryPoint: string;
  readonly controlPlane: string | null;
  readonly agents: readonly (AgentStatus & { readonly pid: number | null })[];
}

const LOOK_MS = 2_000;

export async function jobStatus(home: string, state: JobState): Promise<JobStatus> {
  const plan = await readRelease(jobLayout(home, state.job), state.release);
  const running = new Map((await runningProcesses(state)).map(({ name, identity }) => [name, identity.pid]));
  const controlPlane = await findControlPlane(home);
  const registered = controlPlane === undefined ? undefined : await registeredAgents(controlPlane, state.job);
  const agents = await Promise.all(
    processesOf(plan).flatMap((process) =>
      process.agents.map(async ({ id, url }) => {
        const pid = running.get(process.name) ?? null;
        const known = registered?.find((agent) => agent.id === id);
        const health = pid === null ? undefined : await askHealth(url, LOOK_MS);
        const facts = {
          stopped: state.stoppedAt !== null,
          running: pid !== null,
          // Without a registry the agent itself is all that can be asked.
          healthy: health !== undefined,
        };
        return {
          id,
          name: known?.name ?? id,
          url,
          state: registered === undefined ? unregisteredState(facts) : agentState(known, facts),
          lastHeartbeat: known?.lastHeartbeat ?? null,
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
    state: overall(state, agents),
    entryPoint: plan.entryPoint,
    controlPlane: registered === undefined ? null : (controlPlane?.url ?? null),
    agents,
  };
}

interface Facts {
  readonly stopped: boolean;
  readonly running: boolean;
  readonly healthy: boolean;
}

/** What the registry says of an agent whose process runs. It finds out about one that is gone when the lease ends; here it is seen at once. */
export function agentState(known: RegisteredAgent | undefined, facts: Facts): AgentStatus["state"] {
  if (facts.stopped) return "stopped";
  if (!facts.running) return "dead";
  return known?.state ?? "starting";
}

/** The same when there is no registry to ask. */
export function unregisteredState(facts: Facts): AgentStatus["state"] {
  if (facts.stopped) return "stopped";
  return facts.healthy ? "alive" : "dead";
}

function overall(state: JobState, agents: readonly { readonly pid: number | null }[]): JobStatus["state"] {
  if (state.stoppedAt !== null) return "stopped";
  const alive = agents.filter(({ pid }) => pid !== null).length;
  if (alive === 0) return "dead";
  return alive === agents.length ? "running" : "degraded";
}
