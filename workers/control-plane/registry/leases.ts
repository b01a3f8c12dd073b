// The life of a registration as a pure state machine: alive → suspect → probed → alive again, or dead → removed.
// Times are milliseconds since the epoch. Storage, clock and network belong to registry.ts.
import { leaseMs, type AgentState } from "#shared/control-plane/registry.ts";

/** A dead agent stays listed for this many leases. */
const DEAD_LEASES = 10;

export interface Lease {
  readonly state: AgentState;
  /** When the state ends by itself: an alive agent's lease, a dead one's listing; a suspect is due at once. */
  readonly dueAt: number;
}

/** What must happen to a lease now. */
export type LeaseStep = { do: "wait" } | { do: "probe"; lease: Lease } | { do: "remove" };

/** The lease after a registration, a heartbeat or a probe that found the agent well. */
export function renew(intervalMs: number, now: number): Lease {
  return { state: "alive", dueAt: now + leaseMs(intervalMs) };
}

/** The lease after a probe that found nobody. */
export function bury(intervalMs: number, now: number): Lease {
  return { state: "dead", dueAt: now + DEAD_LEASES * leaseMs(intervalMs) };
}

/** The step that is due. May be repeated: a suspect whose probe got lost in a crash is probed again. */
export function nextStep(lease: Lease, now: number): LeaseStep {
  if (lease.dueAt > now) return { do: "wait" };
  switch (lease.state) {
    case "alive":
      return { do: "probe", lease: { state: "suspect", dueAt: now } };
    case "suspect":
      return { do: "probe", lease };
    case "dead":
      return { do: "remove" };
  }
}
