// What a job would cost at Cloudflare, with figures computed by hand from the prices and what was measured.
import { describe, expect, test } from "vitest";

import { type Bill, estimateCost, heartbeatRequestsPerDay } from "#jobs/plan/cloudflare/cost.ts";
import { MEASURED } from "#jobs/plan/cloudflare/measured.ts";
import { planJob } from "#jobs/plan/plan.ts";

import { jobWith } from "../support.ts";
import { hubOf, plannedAgents } from "./planned.ts";

function costOf(...args: Parameters<typeof plannedAgents>) {
  const cost = estimateCost(plannedAgents(...args));
  if (cost === undefined) throw new Error("The plan has no agents on Cloudflare.");
  return cost;
}

function sumOf(bill: Bill): number {
  return Object.values(bill).reduce((sum, { usd }) => sum + usd, 0);
}

test("four turns cost what was measured of four turns", () => {
  const { turns, question } = costOf(4, hubOf(4));
  expect(turns).toBe(4);
  expect(question.requests.used).toBe(1);
  expect(question.objectRequests.used).toBeCloseTo(14.5);
  expect(question.rowsRead.used).toBeCloseTo(317.6);
  expect(question.rowsWritten.used).toBeCloseTo(174.55);
  expect(question.cpuMs.used).toBeCloseTo(167.5);
  // 4.76 s at 0.128 GB.
  expect(question.gbSeconds.used).toBeCloseTo(0.609_28);
  expect(question.gbMonths.used).toBeCloseTo(0.000_169_16, 8);
});

test("a thousand questions cost the sum of their items", () => {
  const { questions } = costOf(4, hubOf(4));
  const { bill } = questions;
  expect(bill.requests).toEqual({ used: 1_000, usd: 0.000_3 });
  // 14,500 at 0.15 a million.
  expect(bill.objectRequests.usd).toBeCloseTo(0.002_175, 8);
  // 609.28 GB-s at 12.50 a million.
  expect(bill.gbSeconds.usd).toBeCloseTo(0.007_616, 8);
  // 317,600 at 0.001 a million.
  expect(bill.rowsRead.usd).toBeCloseTo(0.000_317_6, 8);
  // 174,550 at 1 a million.
  expect(bill.rowsWritten.usd).toBeCloseTo(0.174_55, 8);
  // 167,500 ms at 0.02 a million.
  expect(bill.cpuMs.usd).toBeCloseTo(0.003_35, 8);
  // 0.16916 GB for a month at 0.20.
  expect(bill.gbMonths.usd).toBeCloseTo(0.033_832, 8);
  expect(questions.usd).toBeCloseTo(0.222141, 5);
});

test("a job of twice the turns costs twice as much, but for the request itself", () => {
  const [one, two] = [costOf(4, hubOf(4)).questions, costOf(8, hubOf(8)).questions];
  expect(two.usd - two.bill.requests.usd).toBeCloseTo(2 * (one.usd - one.bill.requests.usd), 10);
});

test("model calls of the Claude API take longer, so objects are at work for longer", () => {
  const [near, far] = [MEASURED.offline, MEASURED.far];
  const plan = { ...plannedAgents(4, hubOf(4)), provider: "anthropic" as const };
  const cost = estimateCost(plan);
  expect(cost?.modelCallS).toBe(far.modelCallS);
  expect(cost?.question.gbSeconds.used).toBeCloseTo(4 * far.turn.activeS * 0.128);
  expect(far.turn.activeS).toBeGreaterThan(10 * near.turn.activeS);
  expect(far.turn.objectRequests).toBeGreaterThan(near.turn.objectRequests);
});

describe("a month without a question", () => {
  test("costs its heartbeats: four agents, one a minute", () => {
    const { idleMonth } = costOf(4, hubOf(4));
    // 4 * 60 * 24 * 30
    expect(idleMonth.heartbeats).toBe(172_800);
    expect(idleMonth.bill.requests.used).toBe(0);
    expect(idleMonth.bill.objectRequests.used).toBeCloseTo(362_880);
    expect(idleMonth.bill.rowsWritten.usd).toBeCloseTo(0.362_88);
    expect(idleMonth.bill.objectRequests.usd).toBeCloseTo(0.054_432);
    // 172,800 * 0.02 s * 0.128 GB = 442.368 GB-s
    expect(idleMonth.bill.gbSeconds.usd).toBeCloseTo(0.005_529_6);
    expect(idleMonth.usd).toBeCloseTo(0.423346, 5);
    expect(idleMonth.usd).toBeCloseTo(sumOf(idleMonth.bill), 10);
  });

  test("costs twelve times as much with a heartbeat every 5 s", () => {
    const often = costOf(4, hubOf(4), { job: "heartbeat: { interval: 5s }\n" });
    expect(often.idleMonth.usd).toBeCloseTo(12 * costOf(4, hubOf(4)).idleMonth.usd, 8);
  });
});

test("an agent that beats every 5 s takes 36,288 requests of objects a day", () => {
  expect(heartbeatRequestsPerDay(1, 5_000)).toBeCloseTo(36_288);
});

test("a job that is not on Cloudflare has no such cost", () => {
  const plan = planJob(jobWith("{ type: hub-spoke, hub: a, spokes: [b, c, d] }"), {
    hasAnthropicKey: false,
    ports: {},
    objects: {},
  });
  expect(estimateCost(plan)).toBeUndefined();
});
