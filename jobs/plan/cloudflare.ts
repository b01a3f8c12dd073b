// Names and addresses of a job's Workers on Cloudflare. Pure.
import * as z from "zod";

import { CONTROL_PLANE } from "../placement/reach.ts";
import type { Agent } from "../schema/schema.ts";

/** What an account adds to a plan. */
export interface CloudflareFacts {
  /** Begins the name of each Worker. All jobs of a namespace share a control plane. */
  readonly namespace: string;
  /** The account's own, below workers.dev. */
  readonly subdomain: string;
}

/** Takes the place of an account that nobody has asked yet. */
export const UNKNOWN_ACCOUNT: CloudflareFacts = { namespace: "troupe", subdomain: "your-account" };

/** Name of an agent's Worker. */
export function agentScript({ namespace }: Pick<CloudflareFacts, "namespace">, job: string, agent: string): string {
  return `${namespace}-${job}-${agent.replaceAll("_", "-")}`;
}

export function controlPlaneScript({ namespace }: Pick<CloudflareFacts, "namespace">): string {
  return `${namespace}-${CONTROL_PLANE}`;
}

export function offlineModelScript({ namespace }: Pick<CloudflareFacts, "namespace">): string {
  return `${namespace}-offline-model`;
}

/** Where a Worker answers. */
export function scriptUrl({ subdomain }: Pick<CloudflareFacts, "subdomain">, script: string): string {
  return `https://${script}.${subdomain}.workers.dev`;
}

/** Where one `wrangler dev` serves an agent; `origin` is its own. */
export function developmentUrl(origin: string, agent: string): string {
  return `${origin}/agents/${agent}`;
}

/** A public address beside that of workers.dev. Without a zone the pattern is a host, a custom domain. */
export const Route = z.object({ pattern: z.string(), zone: z.optional(z.string()) });
export type Route = z.infer<typeof Route>;

/** Undefined for an agent without one. */
export function routeOf({ cloudflare }: Pick<Agent, "cloudflare">): Route | undefined {
  if (cloudflare?.domain !== undefined) return { pattern: cloudflare.domain };
  if (cloudflare?.route === undefined || cloudflare.zone === undefined) return undefined;
  return { pattern: cloudflare.route, zone: cloudflare.zone };
}

/** Without a slash at its end. */
export function routeUrl({ pattern }: Route): string {
  return `https://${pattern.replace(/\/\*$/, "")}`;
}

/** Where an agent answers that has no address below workers.dev; undefined for one that has no host of its own. */
export function hostUrl(route: Route | undefined): string | undefined {
  const url = route && routeUrl(route);
  return url !== undefined && new URL(url).origin === url ? url : undefined;
}
