// Addresses in an agent's settings. A Worker's own fetch reaches public addresses only, so a deployment gives each of
// these a binding that leads there and nowhere else.

type Network = Pick<typeof globalThis, "fetch">;

/** Name of the binding to the origin of `url`. Different origins have different names. */
export function reachBinding(url: string): string {
  const name = new URL(url).origin.replace(/[^a-z0-9]/g, (sign) => `_${sign.charCodeAt(0).toString(16)}_`);
  return `REACH_${name}`;
}

/** Origins of all http and https addresses in an agent's settings, at any depth, sorted. */
export function addressesIn(settings: unknown): string[] {
  const origins = new Set<string>();
  const waiting: unknown[] = [settings];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === "object" && next !== null) for (const inner of Object.values(next)) waiting.push(inner);
    const url = typeof next === "string" && /^https?:\/\//i.test(next) ? URL.parse(next) : null;
    if (url !== null) origins.add(url.origin);
  }
  return [...origins].toSorted();
}

/** The network that reaches an address of the agent's settings: its binding, or globalThis. */
export function reach(env: Readonly<Record<string, unknown>>, url: string): Network {
  const bound = env[reachBinding(url)];
  return isFetcher(bound) ? bound : globalThis;
}

export function isFetcher(value: unknown): value is Network {
  return typeof value === "object" && value !== null && "fetch" in value && typeof value.fetch === "function";
}
