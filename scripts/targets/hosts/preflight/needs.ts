// What a plan needs of one of its places. Pure.
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { processesOf } from "../../local/processes/job-config.ts";

export interface WantedPort {
  readonly port: number;
  /** Who listens on it, such as "the agent searcher". */
  readonly who: string;
  /** `loopback`: on 127.0.0.1. `all`: on all addresses, for other machines. */
  readonly on: "loopback" | "all";
}

export interface HostNeeds {
  readonly job: string;
  readonly processes: number;
  readonly ports: readonly WantedPort[];
}

export function needsAt(plan: Plan, place: string, controlPlanePort: number): HostNeeds {
  const agents = plan.agents.filter((agent) => agent.place === place);
  const hasControlPlane = plan.controlPlane.place === place;
  const hasModel = agents.length > 0 && plan.provider !== "anthropic";
  const ofAgents = agents.length === 0 ? [] : processesOf({ ...plan, agents });
  return {
    job: plan.job,
    processes: ofAgents.length + Number(hasControlPlane) + Number(hasModel),
    ports: [
      ...agents.flatMap(({ id, socket, tlsPort }) => wanted(`the agent ${id}`, socket.port, tlsPort)),
      ...(hasControlPlane ? wanted("the control plane", controlPlanePort, plan.controlPlane.tlsPort) : []),
    ],
  };
}

function wanted(who: string, loopback: number, tls: number | undefined): WantedPort[] {
  return [
    { port: loopback, who, on: "loopback" },
    ...(tls === undefined ? [] : [{ port: tls, who, on: "all" } as const]),
  ];
}
