// A plan → the sockets through which its places reach others by ssh, and where each leads. Pure.
import { placeIn } from "#jobs/placement/place.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";

/** A way from one place to one listener at another. */
export interface Forward {
  /** Place whose processes ask. */
  readonly from: string;
  /** Place that is asked. */
  readonly to: string;
  /** On the loopback of the place that is asked. No two listeners of a job have the same. */
  readonly port: number;
}

/** One ssh connection to a host, and what it carries. */
export interface HostForwards {
  readonly place: string;
  /** Sockets that sshd makes in the host's folder of the job. */
  readonly remote: readonly { readonly socket: string; readonly leadsTo: string }[];
  /** Sockets that ssh makes in the holder's folder, and the port of the host to which each leads. */
  readonly local: readonly { readonly socket: string; readonly port: number }[];
}

/** The folder of sockets in a place's folder of the job, where processes are started. */
export const TUNNELS = "tunnels";

/** The path of a tunnel's socket, from the folder of the job. */
export function socketOf(port: number): string {
  return `${TUNNELS}/${port}`;
}

/** Each once, in the order of the plan: edges, then control plane. */
export function forwardsOf(plan: Plan, controlPlanePort: number): Forward[] {
  const agents = new Map(plan.agents.map((agent) => [agent.id, agent]));
  const control = plan.controlPlane.place;
  const all = [
    ...plan.edges.flatMap(({ from, to, via }): Forward[] => {
      const [asker, asked] = [agents.get(from), agents.get(to)];
      if (via !== "tunnel" || asker === undefined || asked === undefined) return [];
      return [{ from: asker.place, to: asked.place, port: asked.socket.port }];
    }),
    ...plan.links.flatMap(({ agent, toControlPlane, probe }): Forward[] => {
      const own = agents.get(agent);
      if (own === undefined) return [];
      return [
        ...(toControlPlane === "tunnel" ? [{ from: own.place, to: control, port: controlPlanePort }] : []),
        ...(probe === "tunnel" ? [{ from: control, to: own.place, port: own.socket.port }] : []),
      ];
    }),
  ];
  return [...new Map(all.map((forward) => [`${forward.from} ${forward.port}`, forward])).values()];
}

/**
 * The connections that carry these forwards: a way between two hosts goes over this machine, where one connection ends in a socket from
 * which the other begins.
 */
export function connectionsFor({ places }: Pick<Plan, "places">, forwards: readonly Forward[]): HostForwards[] {
  const isHere = (id: string) => placeIn(places, id).kind === "local";
  return places.flatMap(({ id: place, kind }): HostForwards[] => {
    if (kind !== "ssh") return [];
    const remote = forwards
      .filter(({ from }) => from === place)
      .map(({ to, port }) => ({ socket: String(port), leadsTo: isHere(to) ? `127.0.0.1:${port}` : `./${port}` }));
    const asked = new Set(forwards.flatMap(({ to, port }) => (to === place ? port : [])));
    const local = [...asked].map((port) => ({ socket: `./${port}`, port }));
    return remote.length + local.length === 0 ? [] : [{ place, remote, local }];
  });
}
