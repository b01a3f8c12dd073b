// The life of a registration as a state machine: alive → suspect → probed → alive again, or dead → removed.
// Times are ms since the epoch. Pure: storage, clock and network belong to registry.ts.
import { leaseMs, type AgentState } from "#shared/control-plane/registry.ts";

/** A dead agent stays listed for this many leases. */
const DEAD_LEASES = 10;

export interface Lease {
  readonly state: AgentState;
  /** When the state ends: a living agent's lease, a dead agent's listing. A suspect is due at once. */
  readonly dueAt: number;
}

/** What the registry has to do now. */
export type LeaseAction = { do: "wait" } | { do: "probe"; lease: Lease } | { do: "remove" };

/** The lease after a registration, a heartbeat or a successful probe. */
export function renew(intervalMs: number, now: number): Lease {
  return { state: "alive", dueAt: now + leaseMs(intervalMs) };
}

/** The lease after a probe that failed. */
export function markDead(intervalMs: number, now: number): Lease {
  return { state: "dead", dueAt: now + DEAD_LEASES * leaseMs(intervalMs) };
}

/** The action that is due. May be repeated: a suspect whose probe a crash interrupted is probed again. */
export function nextAction(lease: Lease, now: number): LeaseAction {
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
