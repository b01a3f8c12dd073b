// Where processes of a job run, and how one place reaches another. Plain data, stored in the plan.
import * as z from "zod";

export const PlaceKind = z.enum(["local", "ssh", "cloudflare"]);
export type PlaceKind = z.infer<typeof PlaceKind>;

/** How others reach a place: over HTTPS at its address, or through ssh tunnels that the deploying machine holds. */
export const Expose = z.enum(["https", "tunnel"]);
export type Expose = z.infer<typeof Expose>;

export const Place = z.object({
  /** `local`, `cloudflare`, or for a host a name of a-z, 0-9 and -; unique in the plan. */
  id: z.string(),
  kind: PlaceKind,
  /** What the ssh program takes: `user@host`, `host` or an alias of ~/.ssh/config; IPv6 without brackets. */
  destination: z.optional(z.string()),
  /** The port of ssh; absent where ~/.ssh/config decides. */
  port: z.optional(z.int()),
  /** Name or IP at which other machines reach it; absent where they do not. */
  address: z.optional(z.string()),
  expose: Expose,
});
export type Place = z.infer<typeof Place>;

/** The place with this id; this machine for one that is not there, as in older releases. */
export function placeIn(places: readonly Place[], id: string): Place {
  return places.find((place) => place.id === id) ?? LOCAL;
}

/** Whether places of two plans are one: for hosts, by what ssh is given. */
export function isSamePlace(one: Place, other: Place): boolean {
  if (one.kind !== other.kind) return false;
  return one.kind !== "ssh" || (one.destination === other.destination && one.port === other.port);
}

/**
 * How a request travels. binding: within one process. loopback: between processes of one place. https: between
 * machines. tunnel: between machines through ssh, only while the deploying machine is up.
 */
export const Via = z.enum(["binding", "loopback", "https", "tunnel"]);
export type Via = z.infer<typeof Via>;

/** How an agent and the control plane reach each other. */
export const Link = z.object({
  agent: z.string(),
  toControlPlane: Via,
  /** unprobed: the control plane cannot call the agent, and its heartbeats alone count. */
  probe: z.enum([...Via.options, "unprobed"]),
});
export type Link = z.infer<typeof Link>;

/** The place of this machine in jobs that name no other. */
export const LOCAL: Place = { id: "local", kind: "local", expose: "https" };

/** The place of this id. Throws where there is none. */
export function placeOf({ places }: { readonly places: readonly Place[] }, id: string): Place {
  const place = places.find((candidate) => candidate.id === id);
  if (place === undefined) throw new Error(`There is no place ${id}`);
  return place;
}
