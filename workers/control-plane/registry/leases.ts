// The life of a registration as a state machine: alive → suspect → probed → alive again, or dead → removed. An agent that cannot be probed
// is suspect for one more lease, then dead.
// Times are ms since the epoch. Pure: storage, clock and network belong to registry.ts.
import { leaseMs, type AgentState } from "#shared/control-plane/registry.ts";

/** A dead agent stays listed for this many leases. */
const DEAD_LEASES = 10;

export interface Lease {
  readonly state: AgentState;
  /** When the state ends: a living agent's lease, a dead agent's listing. A suspect is due at once. */
  readonly dueAt: number;
}

/** What the registry has to do now. `suspect`: only wait for a heartbeat. */
export type LeaseAction =
  | { do: "wait" | "lose" | "remove" }
  | { do: "probe"; lease: Lease }
  | { do: "suspect"; lease: Lease };

/** The lease after a registration, a heartbeat or a successful probe. */
export function renew(intervalMs: number, now: number): Lease {
  return { state: "alive", dueAt: now + leaseMs(intervalMs) };
}

/** The lease of a lost agent. */
export function markDead(intervalMs: number, now: number): Lease {
  return { state: "dead", dueAt: now + DEAD_LEASES * leaseMs(intervalMs) };
}

interface Leaseholder {
  readonly lease: Lease;
  readonly intervalMs: number;
  readonly isProbed: boolean;
}

/** The action that is due. May be repeated: a suspect whose probe a crash interrupted is probed again. */
export function nextAction({ lease, intervalMs, isProbed }: Leaseholder, now: number): LeaseAction {
  if (lease.dueAt > now) return { do: "wait" };
  switch (lease.state) {
    case "alive":
      if (!isProbed) return { do: "suspect", lease: { state: "suspect", dueAt: now + leaseMs(intervalMs) } };
      return { do: "probe", lease: { state: "suspect", dueAt: now } };
    case "suspect":
      return isProbed ? { do: "probe", lease } : { do: "lose" };
    case "dead":
      return { do: "remove" };
  }
}
