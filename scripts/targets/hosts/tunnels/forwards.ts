// A plan → the sockets through which its places reach others by ssh, and where each leads. Pure.
import { placeIn } from "#jobs/placement/place.ts";
import { viaBetween } from "#jobs/placement/reach.ts";
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

/** Whether requests from one place to another go through ssh. */
export function isTunnelled({ places }: Pick<Plan, "places">, from: string, to: string): boolean {
  return from !== to && viaBetween(placeIn(places, from), placeIn(places, to)) === "tunnel";
}

/** Each once, in the order of the plan: what agents ask, then what the control plane does. */
export function forwardsOf(plan: Plan, controlPlanePort: number): Forward[] {
  const control = plan.controlPlane.place;
  const places = new Map(plan.agents.map(({ id, place, socket }) => [id, { to: place, port: socket.port }]));
  const all = [
    ...plan.agents.flatMap(({ place: from, bindings }): Forward[] =>
      bindings.flatMap((item) => {
        if (item.type !== "service") return [];
        if (item.service.to === "control-plane") return { from, to: control, port: controlPlanePort };
        const asked = item.service.to === "agent" ? places.get(item.service.agent) : undefined;
        return asked === undefined ? [] : { from, ...asked };
      }),
    ),
    ...plan.agents.map(({ place: to, socket }): Forward => ({ from: control, to, port: socket.port })),
  ].filter(({ from, to }) => isTunnelled(plan, from, to));
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
