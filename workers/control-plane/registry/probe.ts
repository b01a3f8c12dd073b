// Health probes of agents that missed their heartbeats.

const PROBE_MS = 2000;
/** workerd opens at most six connections at once; a seventh probe would time out while it waits. */
const AT_ONCE = 6;

/** Whether GET `<url>/health` answers 200 within two seconds. A redirect does not count: the agent itself must live. */
export async function isHealthy(url: string, network: Pick<Fetcher, "fetch">): Promise<boolean> {
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
