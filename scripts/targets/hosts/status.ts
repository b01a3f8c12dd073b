// The status of a job on hosts: the registry's answer, compared with the processes that run there. A host that does not answer is said.
import { placeOf } from "#jobs/placement/place.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { CONTROL_PLANE, OFFLINE_MODEL } from "../local/control-plane/worker-configs.ts";
import { type RegisteredAgent, registeredAgents } from "../local/control-plane/registry.ts";
import { askHealth } from "../local/processes/health.ts";
import { agentState, overall, unregisteredState } from "../local/status.ts";
import { jobLayout } from "../local/state/layout.ts";
import { releaseHistory } from "../local/state/release.ts";
import type { JobState } from "../local/state/state.ts";
import type { JobStatus, ProcessStatus, TunnelsStatus } from "../target.ts";
import { endOfCertificate } from "./keys/authority.ts";
import { controlPlaneOf, type HostsJob, machineAt } from "./job-machines.ts";
import { reach } from "./reach.ts";
import { isProbed } from "./release/host-processes.ts";
import { processNames, processOf } from "./run.ts";
import { tunnelsStatus } from "./tunnels/holder.ts";

const LOOK_MS = 2_000;

export async function hostsStatus(home: string, job: HostsJob, signal: AbortSignal): Promise<JobStatus> {
  const { state, plan } = job;
  const all = (await Promise.all(plan.places.map(async ({ id }) => processesAt(plan, id, signal)))).flat();
  const away = new Set(all.flatMap(({ place, state: of }) => (of === "unreachable" ? (place ?? "") : [])));
  const isShared = ({ name }: ProcessStatus) => name === CONTROL_PLANE || name === OFFLINE_MODEL;
  const { url, registered } = await registry(home, job, away, signal);
  const tunnels = state.stoppedAt === null ? await tunnelsStatus(plan, state.hosts?.controlPlanePort ?? 0) : undefined;
  const agents = await Promise.all(
    plan.agents.map(async (agent) => {
      const { id, place } = agent;
      const name = processOf(plan, agent);
      const own = all.find((process) => process.place === place && process.name === name);
      const known = registered?.find((other) => other.id === id);
      const health =
        own === undefined || own.pid === null
          ? undefined
          : await askHealth(await reach(placeOf(plan, place), agent.socket.port, signal), LOOK_MS);
      const facts = { stopped: state.stoppedAt !== null, process: own?.state ?? "dead", healthy: health !== undefined };
      return {
        id,
        name: known?.name ?? id,
        url: agent.url,
        place,
        state: registered === undefined ? unregisteredState(facts) : agentState(known, facts),
        lastHeartbeat: known?.lastHeartbeat ?? null,
        probed: isProbed(plan.links.find((link) => link.agent === id)),
        pid: own?.pid ?? null,
        breakers: health?.breakers ?? [],
        turns: health?.turns ?? null,
      };
    }),
  );
  const processes = all.filter((process) => !isShared(process));
  return {
    job: state.job,
    target: "hosts",
    pid: agents.find(({ id }) => id === plan.entryPoint)?.pid ?? null,
    state: withTunnels(overall(state, processes), tunnels),
    entryPoint: plan.entryPoint,
    controlPlane: registered === undefined ? null : url,
    certificatesEnd: plan.places.length > 1 ? await certificatesEnd(home, state) : undefined,
    agents,
    remotes: plan.remotes.map((remote) => ({ id: remote.id, url: remote.url, name: remote.card?.name ?? remote.id })),
    processes,
    ...(tunnels === undefined ? {} : { tunnels }),
    shared: all.filter(isShared),
  };
}

/** They are issued with the release. ISO 8601; undefined for a release of an older version. */
async function certificatesEnd(home: string, { job, release }: JobState): Promise<string | undefined> {
  const history = await releaseHistory(jobLayout(home, job));
  const issuedAt = new Date(history.find(({ number }) => number === release)?.keptAt ?? Number.NaN);
  return Number.isNaN(issuedAt.getTime()) ? undefined : endOfCertificate(issuedAt).toISOString();
}

/** Agents whose tunnels are down run, but do not reach each other. */
function withTunnels(state: JobStatus["state"], tunnels: TunnelsStatus | undefined): JobStatus["state"] {
  const isWhole = tunnels?.hosts.every((host) => host.state === "up") ?? true;
  return state === "running" && !isWhole ? "degraded" : state;
}

async function processesAt(plan: Plan, place: string, signal: AbortSignal): Promise<ProcessStatus[]> {
  const names = processNames(plan, place);
  try {
    const machine = await machineAt(placeOf(plan, place), plan.job, signal);
    return (await machine.processes(names)).map((status) => ({ ...status, place }));
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== "failed") throw error;
    const unknown = { pid: null, state: "unreachable", supervised: false, restarts: 0, lastEnd: null } as const;
    return names.map((name) => ({ name, place, ...unknown }));
  }
}

async function registry(
  home: string,
  job: HostsJob,
  away: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<{ readonly url: string | null; readonly registered: RegisteredAgent[] | undefined }> {
  if (away.has(job.plan.controlPlane.place)) return { url: null, registered: undefined };
  const controlPlane = await controlPlaneOf(home, job, signal);
  return { url: controlPlane.url, registered: await registeredAgents(controlPlane, job.state.job) };
}
