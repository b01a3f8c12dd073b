// Asks an agent that missed its heartbeats whether it lives.

const PROBE_MS = 2000;
/** A Worker may have six connections that await headers; a seventh would wait while its time ran out. */
const AT_ONCE = 6;

/** Whether GET `<url>/health` answers 200 in time. A redirect is no answer: the agent itself has to live. */
export async function isHealthy(url: string, network: Pick<Fetcher, "fetch">): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PROBE_MS);
    const response = await network.fetch(`${url}/health`, { redirect: "manual", signal });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    // Refused, unreachable or too slow: to a probe it is all the same.
    return false;
  }
}

/** Runs `visit` on all items, a few at a time. */
export async function inParallel<Item>(items: readonly Item[], visit: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) await visit(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, lane));
}
