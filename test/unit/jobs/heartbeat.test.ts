// How often agents say that they live, where the job does not say it.
import { expect, test } from "vitest";

import { AgentConfig } from "#shared/agent/config.ts";
import { planJob } from "#jobs/plan/plan.ts";

import { jobWith } from "./support.ts";

function planned(target: string | undefined, more = "") {
  return planJob(jobWith("{ type: hub-spoke, hub: a, spokes: [b, c, d] }", more), {
    hasAnthropicKey: false,
    ports: {},
    objects: {},
    placement: { target },
  });
}

test("an agent has a heartbeat every 5 s on this machine, and every 60 s on Cloudflare, where each is billed", () => {
  expect(planned(undefined).heartbeat).toEqual({ intervalMs: 5_000, leaseMs: 15_000 });
  expect(planned("cloudflare").heartbeat).toEqual({ intervalMs: 60_000, leaseMs: 180_000 });
});

test("the job's own interval holds on Cloudflare, too", () => {
  expect(planned("cloudflare", "heartbeat: { interval: 7s }\n").heartbeat.intervalMs).toBe(7_000);
});

test("agents know the interval of their plan", () => {
  const binding = planned("cloudflare").agents[0]?.bindings.find(({ name }) => name === "AGENT");
  const config = AgentConfig.parse(binding?.type === "json" ? binding.value : undefined);
  expect(config.heartbeat).toEqual({ intervalMs: 60_000 });
});
