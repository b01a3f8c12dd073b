import { expect, test } from "vitest";
import { leaseMs } from "#shared/control-plane/registry.ts";
import { type Lease, markDead, nextAction, renew } from "../../../workers/control-plane/registry/leases.ts";

const INTERVAL = 1000;
const NOW = 1_000_000;

const probed = (lease: Lease) => ({ lease, intervalMs: INTERVAL, isProbed: true });
const unprobed = (lease: Lease) => ({ lease, intervalMs: INTERVAL, isProbed: false });

test("a lease lasts three heartbeat intervals", () => {
  expect(leaseMs(INTERVAL)).toBe(3000);
  expect(renew(INTERVAL, NOW)).toEqual({ state: "alive", dueAt: NOW + 3000 });
});

test("an alive agent is left alone until its lease ends", () => {
  expect(nextAction(probed(renew(INTERVAL, NOW)), NOW + 2999)).toEqual({ do: "wait" });
});

test("an agent whose lease ended is suspect and probed", () => {
  const lease = { state: "suspect", dueAt: NOW + 3000 };
  expect(nextAction(probed(renew(INTERVAL, NOW)), NOW + 3000)).toEqual({ do: "probe", lease });
});

test("a suspect whose probe was lost is probed again", () => {
  const lease = { state: "suspect", dueAt: NOW } as const;
  expect(nextAction(probed(lease), NOW + 60_000)).toEqual({ do: "probe", lease });
});

test("a dead agent is listed for ten leases, then removed", () => {
  const lease = markDead(INTERVAL, NOW);
  expect(lease.state).toBe("dead");
  expect(nextAction(probed(lease), NOW + 29_999)).toEqual({ do: "wait" });
  expect(nextAction(probed(lease), NOW + 30_000)).toEqual({ do: "remove" });
});

test("an agent that cannot be probed is suspect for one more lease, then lost", () => {
  const lease = { state: "suspect", dueAt: NOW + 6000 } as const;
  expect(nextAction(unprobed(renew(INTERVAL, NOW)), NOW + 3000)).toEqual({ do: "suspect", lease });
  expect(nextAction(unprobed(lease), NOW + 5999)).toEqual({ do: "wait" });
  expect(nextAction(unprobed(lease), NOW + 6000)).toEqual({ do: "lose" });
});
