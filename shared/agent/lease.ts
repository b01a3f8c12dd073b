// How long an agent counts as alive without being heard: what the registry keeps to and a plan shows.

/** A lease outlives this many missed heartbeats. */
const LEASE_INTERVALS = 3;

/** The lease of an agent with this heartbeat interval, both in milliseconds. */
export function leaseMs(intervalMs: number): number {
  return LEASE_INTERVALS * intervalMs;
}

/** Intervals that the registry takes, in milliseconds. */
export const MIN_HEARTBEAT_MS = 100;
export const MAX_HEARTBEAT_MS = 3_600_000;
