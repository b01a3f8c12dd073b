// What plans need of one of their places. Pure.
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { processesOf } from "../../local/processes/job-config.ts";

export interface WantedPort {
  readonly port: number;
  /** Who listens on it, such as "the agent searcher". */
  readonly who: string;
  /** `loopback`: on 127.0.0.1. `all`: on all addresses, for other machines. */
  readonly on: "loopback" | "all";
}

/** A plan that shall run. */
export interface Wanted {
  readonly plan: Plan;
  readonly controlPlanePort: number;
  /** It runs beside the processes of the job, and does not replace them. */
  readonly isTrial?: boolean;
}

export interface HostNeeds {
  readonly job: string;
  /** That replace those of the job. */
  readonly processes: number;
  /** That run beside those of the job. */
  readonly trialProcesses: number;
  readonly ports: readonly WantedPort[];
}

/** What plans of one job need of a place. */
export function needsAt(all: readonly Wanted[], place: string): HostNeeds {
  const most = (plans: readonly Wanted[]) => Math.max(0, ...plans.map(({ plan }) => processesAt(plan, place)));
  return {
    job: all[0]?.plan.job ?? "",
    processes: most(all.filter(({ isTrial = false }) => !isTrial)),
    trialProcesses: most(all.filter(({ isTrial = false }) => isTrial)),
    ports: all.flatMap((one) => portsAt(one, place)),
  };
}

function processesAt(plan: Plan, place: string): number {
  const agents = agentsAt(plan, place);
  const ofAgents = agents.length === 0 ? [] : processesOf({ ...plan, agents });
  const hasModel = agents.length > 0 && plan.provider !== "anthropic";
  return ofAgents.length + Number(plan.controlPlane.place === place) + Number(hasModel);
}

function portsAt({ plan, controlPlanePort }: Wanted, place: string): WantedPort[] {
  const { controlPlane } = plan;
  return [
    ...agentsAt(plan, place).flatMap(({ id, socket, tlsPort, https }) => [
      ...wanted(`the agent ${id}`, socket.port, tlsPort),
      ...(https === undefined ? [] : wanted(`https of the agent ${id}`, https.port, undefined)),
    ]),
    ...(controlPlane.place === place ? wanted("the control plane", controlPlanePort, controlPlane.tlsPort) : []),
  ];
}

function agentsAt(plan: Plan, place: string) {
  return plan.agents.filter((agent) => agent.place === place);
}

function wanted(who: string, loopback: number, tls: number | undefined): WantedPort[] {
  return [
    { port: loopback, who, on: "loopback" },
    ...(tls === undefined ? [] : [{ port: tls, who, on: "all" } as const]),
  ];
}
