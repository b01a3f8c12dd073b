// The circuit breakers of this isolate, which runs one agent. The environment would be no key for them: each object has its own.
// They are memory only: a new isolate finds out for itself.
import { Breaker, type BreakerStatus } from "../resilience/breaker.ts";

const breakers = new Map<string, Breaker>();

/** The breaker of a backend or of a peer; always the same one for the same target. */
export function breakerOf(target: `model:${string}` | `peer:${string}`): Breaker {
  const breaker = breakers.get(target) ?? new Breaker(target);
  breakers.set(target, breaker);
  return breaker;
}

/** Those that have something to tell: open, half open, or with failures. */
export function troubledBreakers(): BreakerStatus[] {
  const all = [...breakers.values()].map((breaker) => breaker.status());
  return all.filter(({ state, failures }) => state !== "closed" || failures > 0);
}
