// The circuit breakers of this isolate, which runs one agent; they are in memory only. `env` cannot be their key, because each object has
// its own.
import { Breaker, type BreakerStatus } from "../resilience/breaker.ts";

const breakers = new Map<string, Breaker>();

/** The breaker of a backend or a peer: one for each target. */
export function breakerOf(target: `model:${string}` | `peer:${string}`): Breaker {
  const breaker = breakers.get(target) ?? new Breaker(target);
  breakers.set(target, breaker);
  return breaker;
}

/** Breakers that are open, half open, or have counted failures. */
export function troubledBreakers(): BreakerStatus[] {
  const all = [...breakers.values()].map((breaker) => breaker.status());
  return all.filter(({ state, failures }) => state !== "closed" || failures > 0);
}
