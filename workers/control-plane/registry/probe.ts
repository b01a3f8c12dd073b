// Health probes of agents that missed their heartbeats: how an agent is asked, and what it says.
import * as z from "zod";
import type { Env } from "../env.ts";

const PROBE_MS = 2000;
/** workerd opens at most six connections at once; a seventh probe would time out while it waits. */
const AT_ONCE = 6;

const Probes = z.record(z.string(), z.record(z.string(), z.nullable(z.string())));
const Service = z.custom<Fetcher>((value) => typeof value === "object" && value !== null && "fetch" in value);

export interface Way {
  readonly url: string;
  readonly network: Pick<Fetcher, "fetch">;
}

/**
 * How an agent is asked; undefined where it cannot be, so that its heartbeats alone count. Where PROBES says how, the address that the
 * agent registered is not followed. Throws for a PROBES that names no binding.
 */
export function wayTo(
  env: Env,
  job: string,
  { id, url }: { readonly id: string; readonly url: string },
): Way | undefined {
  if (env.PROBES === undefined) return { url, network: env.PROBE ?? globalThis };
  const name = Probes.parse(env.PROBES)[job]?.[id] ?? undefined;
  return name === undefined ? undefined : { url: "http://agent", network: Service.parse(Reflect.get(env, name)) };
}

/** Whether GET `<url>/health` answers 200 within two seconds. A redirect does not count: the agent itself must live. */
export async function isHealthy({ url, network }: Way): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PROBE_MS);
    const response = await network.fetch(`${url}/health`, { redirect: "manual", signal });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    // Refused, unreachable or too slow.
    return false;
  }
}

/** Runs `visit` on all items, a few at a time. */
export async function forEachInParallel<Item>(
  items: readonly Item[],
  visit: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) await visit(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, lane));
}
