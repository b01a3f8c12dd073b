// Names and addresses of a job's Workers on Cloudflare. Pure.
import { CONTROL_PLANE } from "../placement/reach.ts";

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
