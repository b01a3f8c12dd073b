// Whether the agents of a plan answer at their public addresses.
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { knowOnCloudflare } from "../../project/own-fetch.ts";
import { CliError } from "../../terminal/cli-error.ts";
import type { Io } from "../../terminal/io.ts";
import { waitUntilHealthy } from "../local/processes/health.ts";

/** Waits, since a new address takes a moment to be known. Throws CliError for one that is late. */
export async function allHealthy({ agents, health }: Plan, io: Io): Promise<void> {
  const { timeoutMs, intervalMs, lookMs } = health;
  knowOnCloudflare(agents.map(({ url }) => url));
  const never = new AbortController().signal;
  const all = agents.map(async ({ id, url }) => {
    const wait = { timeoutMs, intervalMs, lookMs, ended: never, signal: io.signal };
    if ((await waitUntilHealthy(url, wait)) !== "healthy")
      throw new CliError("failed", `The agent ${id} was not healthy within ${timeoutMs / 1000} s at ${url}.`);
  });
  await Promise.all(all);
}
