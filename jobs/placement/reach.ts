// Who reaches whom, and how: agents along the edges, each agent and the control plane.
import { isLoopback, remoteAgents } from "../schema/remote.ts";
import type { Job } from "../schema/schema.ts";
import { type Edge, edgesOfJob } from "../schema/topology.ts";
import type { Placement, PlacementMistake } from "./place-agents.ts";
import type { Link, Place, Via } from "./place.ts";

/** Stands for the control plane among the ids of agents, none of which holds a -. */
export const CONTROL_PLANE = "control-plane";

export interface Reach {
  /** Of the job, without those that are mistakes. */
  readonly edges: readonly (Edge & { readonly via: Via })[];
  readonly links: readonly Link[];
  /** Agents, and CONTROL_PLANE, that others ask over HTTPS on machines of our own. */
  readonly asked: ReadonlySet<string>;
  readonly mistakes: readonly PlacementMistake[];
}

/** One way between two places, and the connections that want it. */
interface Blocked {
  readonly from: Place;
  readonly to: Place;
  readonly asker: string;
  readonly asked: string;
  count: number;
}

/**
 * How a request goes from one place to another; undefined where it cannot. HTTPS needs an address, and a place that is not
 * behind a tunnel. A tunnel needs one end that is: the deploying machine holds its connection to it, for both directions.
 * Cloudflare knows no tunnel of ssh.
 */
export function viaBetween(from: Place, to: Place): Via | undefined {
  if (to.kind === "cloudflare") return "https";
  if (to.address !== undefined && to.expose === "https") return "https";
  if (from.kind === "cloudflare") return undefined;
  return from.expose === "tunnel" || to.expose === "tunnel" ? "tunnel" : undefined;
}

/**
 * In a dynamic topology, which has no edges, every agent may ask every other, so every place must reach every other. An agent that
 * the control plane cannot call is no mistake.
 */
export function reachOf(job: Job, placement: Placement): Reach {
  const places = new Map(placement.places.map((place) => [place.id, place]));
  const remotes = new Map(remoteAgents(job.agents).map(({ id, remote }) => [id, remote]));
  const indexes = new Map(job.agents.map(({ id }, index) => [id, index]));
  const blocked = new Map<string, Blocked>();
  const mistakes: PlacementMistake[] = [];
  const asked = new Set<string>();

  const edges = edgesOfJob(job).flatMap((edge) => {
    const remote = remotes.get(edge.to);
    const via = remote === undefined ? between(edge.from, edge.to) : toRemote(edge, new URL(remote));
    return via === undefined ? [] : [{ ...edge, via }];
  });
  if (job.topology.type === "dynamic") askEachOther();
  const links = Object.keys(placement.agents).flatMap((agent): Link[] => {
    const toControlPlane = between(agent, CONTROL_PLANE);
    const probe = carry(CONTROL_PLANE, agent) ?? "unprobed";
    return toControlPlane === undefined ? [] : [{ agent, toControlPlane, probe }];
  });
  return { edges, links, asked, mistakes: [...mistakes, ...[...blocked.values()].map(unreachable)] };

  function placeOf(id: string): Place | undefined {
    return places.get(id === CONTROL_PLANE ? placement.controlPlane.place : (placement.agents[id] ?? ""));
  }

  function carry(from: string, to: string): Via | undefined {
    const [source, target] = [placeOf(from), placeOf(to)];
    if (source === undefined || target === undefined) return undefined;
    if (source.id === target.id) return within(source, [from, to].includes(CONTROL_PLANE));
    const via = viaBetween(source, target);
    if (via === "https" && target.kind !== "cloudflare") asked.add(to);
    return via;
  }

  function within({ kind }: Place, isControlPlane: boolean): Via {
    // Workers of Cloudflare are bound to each other; on a machine the control plane is a process of its own.
    if (kind === "cloudflare") return "binding";
    return job.isolation === "agent" || isControlPlane ? "loopback" : "binding";
  }

  /** As `carry`; notes a way that is missing. */
  function between(from: string, to: string): Via | undefined {
    const via = carry(from, to);
    const [source, target] = [placeOf(from), placeOf(to)];
    if (via !== undefined || source === undefined || target === undefined) return via;
    const key = JSON.stringify([source.id, target.id, to === CONTROL_PLANE]);
    const known = blocked.get(key) ?? { from: source, to: target, asker: from, asked: to, count: 0 };
    known.count++;
    blocked.set(key, known);
    return undefined;
  }

  function toRemote({ from, to }: Edge, address: URL): Via | undefined {
    if (!isLoopback(address)) return "https";
    const place = placeOf(from);
    if (place === undefined || place.kind === "local") return "loopback";
    mistakes.push({
      path: ["agents", indexes.get(to) ?? 0, "remote"],
      message: `the agent "${from}" on ${place.id} cannot reach "${to}" at ${address.host}, which is this machine's own`,
      hint: `Give "${to}" an https address, or let "${from}" run here.`,
    });
    return undefined;
  }

  function askEachOther(): void {
    const one = new Map(Object.entries(placement.agents).map(([agent, place]) => [place, agent]));
    for (const from of one.values()) for (const to of one.values()) if (from !== to) between(from, to);
    for (const to of Object.keys(placement.agents)) for (const from of one.values()) carry(from, to);
  }

  function unreachable({ from, to, asker, asked: whom, count }: Blocked): PlacementMistake {
    const index = indexes.get(asker) ?? 0;
    const others = count === 1 ? "" : ` (as in ${count - 1} more cases)`;
    const what = whom === CONTROL_PLANE ? `the control plane on ${to.id}` : `"${whom}" on ${to.id}`;
    const move = whom === CONTROL_PLANE ? "move the control plane (control_plane: { target: … })" : "move one of them";
    const isFromCloudflare = from.kind === "cloudflare";
    const why = isFromCloudflare && to.expose === "tunnel" ? "is behind a tunnel" : "has no address";
    const how = isFromCloudflare
      ? `write address=… and expose=https at ${to.id}`
      : `write address=… at ${to.id}, or expose=tunnel at ${from.id} or ${to.id}`;
    return {
      path: ["agents", index, job.agents[index]?.target === undefined ? "id" : "target"],
      message: `the agent "${asker}" on ${from.id} cannot reach ${what}, which ${why}${others}`,
      hint: `In the host file, ${how}; or ${move}.`,
    };
  }
}
