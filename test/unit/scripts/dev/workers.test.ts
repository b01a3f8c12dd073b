// The Workers of a job under one `wrangler dev`.
import { describe, expect, test } from "vitest";
import * as z from "zod";

import { planJob } from "#jobs/plan/plan.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { AgentConfig } from "#shared/agent/config.ts";
import { BINDING_PROPS } from "#shared/http/gate.ts";

import { describeAddresses } from "../../../../scripts/dev/addresses.ts";
import { DEV_PLACEMENT, refusePlaces } from "../../../../scripts/dev/places.ts";
import { type DevWorker, devWorkers } from "../../../../scripts/dev/workers.ts";
import type { Bundle } from "../../../../scripts/project/build.ts";
import { jobOf, jobWith } from "../../jobs/support.ts";

const ORIGIN = "http://localhost:8787";
const HUB = "{ type: hub-spoke, hub: a, spokes: [b, c, d] }";
const OBJECTS = ["Session", "SessionIndex"];

const Services = z.array(z.object({ binding: z.string(), service: z.string(), props: z.optional(z.unknown()) }));

function planOf(topology = HUB, more = "execution: { entry_point: a }"): Plan {
  return planJob(jobWith(topology, more), {
    hasAnthropicKey: false,
    ports: {},
    objects: { searcher: OBJECTS },
    placement: DEV_PLACEMENT,
    developmentOrigin: ORIGIN,
  });
}

function bundle(worker: string, objects: readonly string[]): [string, Bundle] {
  return [worker, { worker, entry: "", path: `/build/${worker}`, objects: [...objects], inputs: [], hash: worker }];
}

function workersOf(plan: Plan): DevWorker[] {
  const bundles = new Map([
    bundle("searcher", OBJECTS),
    bundle("control-plane", ["Registry"]),
    bundle("offline-model", []),
  ]);
  const secrets = { TROUPE_KEY: "key", TROUPE_TOKEN__A: "token of a", TROUPE_TOKEN__B: "token of b" };
  return devWorkers(plan, { bundles, secrets, controlPlane: { TROUPE_SECRET: "secret" } });
}

function servicesOf(worker: DevWorker | undefined) {
  return Services.parse(worker?.config["services"]);
}

describe("the Workers", () => {
  const workers = workersOf(planOf());
  const named = (name: string) => workers.find((worker) => worker.name === name);

  test("the router is the first, and binds the control plane and every agent without props, so that they open their gates", () => {
    expect(servicesOf(workers[0])).toEqual([
      { binding: "CONTROL_PLANE", service: "troupe-control-plane" },
      ...["a", "b", "c", "d"].map((id) => ({ binding: `AGENT_${id.toUpperCase()}`, service: `troupe-x-${id}` })),
    ]);
  });
  test("an agent binds its peers with the props that its peers' gates know", () => {
    expect(servicesOf(named("troupe-x-a"))).toContainEqual({
      binding: "PEER_B",
      service: "troupe-x-b",
      props: BINDING_PROPS,
    });
  });
  test("what is bound is there", () => {
    const names = new Set(workers.map(({ name }) => name));
    for (const worker of workers) for (const { service } of servicesOf(worker)) expect(names).toContain(service);
  });
  test("secrets of an agent are its own, and stand in no configuration", () => {
    expect(named("troupe-x-b")?.secrets).toMatchObject({ TROUPE_KEY: "key", TROUPE_TOKEN: "token of b" });
    expect(named("troupe-control-plane")?.secrets).toEqual({ TROUPE_SECRET: "secret" });
    const configs = JSON.stringify(workers.map(({ config }) => config));
    for (const { secrets } of workers)
      for (const value of Object.values(secrets)) expect(configs).not.toContain(`"${value}"`);
  });
});

describe("the plan", () => {
  const configOf = (plan: Plan) => {
    const binding = plan.agents[0]?.bindings.find(({ name }) => name === "AGENT");
    return AgentConfig.parse(binding?.type === "json" ? binding.value : undefined);
  };
  test("an agent says the address behind the router", () => {
    expect(configOf(planOf()).url).toBe(`${ORIGIN}/agents/a`);
  });
  test("keys are asked for only where the job says so, since only this machine reaches the agents", () => {
    expect(configOf(planOf()).accounts).toBe("optional");
    expect(configOf(planOf(HUB, "accounts: required")).accounts).toBe("required");
  });
  test("agents that find each other in the registry are bound, too", () => {
    const [, , , first] = workersOf(planOf("{ type: dynamic }"));
    expect(servicesOf(first).map(({ binding }) => binding)).toEqual(
      expect.arrayContaining(["PEER_B", "PEER_C", "PEER_D"]),
    );
  });
});

describe("places", () => {
  test("a job of this machine or of Cloudflare runs", () => {
    for (const more of ["", "deployment: { target: cloudflare }"])
      expect(() => refusePlaces(jobWith(HUB, more))).not.toThrow();
  });
  test("a job with an agent on a host is refused", () => {
    const job = jobWith(HUB, 'deployment: { target: "ssh://me@server.example" }');
    expect(() => refusePlaces(job)).toThrow("x has agents on hosts");
  });
  test("a job with a remote agent on this machine alone is refused", () => {
    const job = jobOf(`name: y
agents:
  - { id: a, worker: searcher }
  - { id: b, remote: "http://127.0.0.1:9000" }
topology: { type: hub-spoke, hub: a, spokes: [b] }
`);
    expect(() => refusePlaces(job)).toThrow("y cannot run under wrangler dev");
  });
});

test("a person is shown each card, how to ask and how to read traces", () => {
  const text = describeAddresses(planOf(), { origin: ORIGIN, token: "my state/token" });
  expect(text).toContain(`b  ${ORIGIN}/agents/b/.well-known/agent-card.json`);
  expect(text).toMatch(/query http:\/\/localhost:8787\/agents\/a\/ "…"/);
  expect(text).toContain(`$(cat 'my state/token')" ${ORIGIN}/control-plane/v1/traces`);
});
