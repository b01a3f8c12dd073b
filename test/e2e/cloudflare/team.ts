// A job of four agents on Cloudflare, and what an account has of it.
import type { CloudflareEmulator } from "../../support/cloudflare/emulator.ts";

export const team = (name: string, rest = "") => `name: ${name}
agents: [{ id: coordinator }, { id: searcher }, { id: summarizer }, { id: fact_checker }]
topology: { type: hub-spoke, hub: coordinator, spokes: [searcher, summarizer, fact_checker] }
deployment: { target: cloudflare, timeout: 20s }
${rest}
`;

/** Worker → the versions that run, of all whose names begin so. */
export function runningOf(
  cloudflare: CloudflareEmulator,
  prefix: string,
): Readonly<Record<string, readonly string[] | undefined>> {
  const own = cloudflare.workers().filter(({ name }) => name.startsWith(prefix));
  return Object.fromEntries(
    own.map(({ name, deployments }) => [name, deployments[0]?.versions.map(({ version_id }) => version_id)]),
  );
}

/** Calls that may have changed something. */
export function writesOf({ calls }: CloudflareEmulator): number {
  return calls.filter(({ call }) => !call.startsWith("GET ")).length;
}
