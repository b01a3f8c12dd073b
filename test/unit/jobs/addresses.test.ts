// Addresses on Cloudflare: what a plan makes of them, and each mistake with its place.
import { describe, expect, test } from "vitest";

import { AgentConfig } from "#shared/agent/config.ts";
import { loadJob } from "#jobs/load.ts";
import { planJob } from "#jobs/plan/plan.ts";

import { jobOf } from "./support.ts";

const ENVIRONMENT = { hasAnthropicKey: false, ports: {}, objects: {} };

/** A job of agents with these fields `cloudflare`; `rest` is YAML. */
const jobWith = (fields: readonly string[], rest = "deployment: { target: cloudflare }") => `name: x
agents:
${fields.map((field, index) => `  - id: a${index}\n    worker: searcher\n${field === "" ? "" : `    cloudflare: ${field}\n`}`).join("")}topology: { type: mesh }
${rest}
`;

function planOf(fields: readonly string[], rest?: string) {
  return planJob(jobOf(jobWith(fields, rest)), ENVIRONMENT).agents.map(({ url, route, bindings }) => {
    const config = bindings.find(({ name }) => name === "AGENT");
    return { url, route, publicUrl: AgentConfig.parse(config?.type === "json" ? config.value : {}).publicUrl };
  });
}

function mistakesOf(fields: readonly string[], rest?: string): string[] {
  const loaded = loadJob(jobWith(fields, rest), "job.yaml", { workers: ["searcher"], variables: new Set() });
  if (!("mistakes" in loaded)) return [];
  return loaded.mistakes.map(({ line, column, message, hint }) => `${line}:${column}: ${message} | ${hint}`);
}

describe("a plan", () => {
  const url = "https://troupe-x-a0.your-account.workers.dev";
  test("gives a domain to the card, and the command line the address below workers.dev", () => {
    const route = { pattern: "a.example.com" };
    expect(planOf(["{ domain: a.example.com }"])).toEqual([{ url, route, publicUrl: "https://a.example.com" }]);
  });
  test("gives a part of a host to the card", () => {
    const route = { pattern: "example.com/a/b/*", zone: "example.com" };
    const fields = ['{ route: "example.com/a/b/*", zone: example.com }'];
    expect(planOf(fields)).toEqual([{ url, route, publicUrl: "https://example.com/a/b" }]);
  });
  test.each(["{ domain: a.example.com }", '{ route: "a.example.com/*", zone: example.com }'])(
    "lets the command line ask %s where there is no address below workers.dev",
    (field) => {
      const rest = "deployment: { target: cloudflare }\ncloudflare: { workers_dev: false }";
      const host = "https://a.example.com";
      expect(planOf([field], rest)).toMatchObject([{ url: host, publicUrl: host }]);
    },
  );
});

describe("a mistake is", () => {
  test.each<[string, string]>([
    ["{ domain: https://a.example.com }", "5:27: agents[0].cloudflare.domain: it is a host's name alone"],
    ["{ domain: localhost }", "5:27: agents[0].cloudflare.domain: it is a host's name alone"],
    ['{ domain: "*.example.com" }', "5:27: agents[0].cloudflare.domain: it is a host's name alone"],
    ["{ domain: x.acme.workers.dev }", "5:27: workers.dev is Cloudflare's own"],
    [
      '{ route: "*.example.com/*", zone: example.com }',
      "5:26: agents[0].cloudflare.route: it is a host's name, perhaps",
    ],
    ["{ route: example.com/a, zone: example.com }", "5:26: agents[0].cloudflare.route: it is a host's name, perhaps"],
    ['{ route: "example.com/a/*" }', "5:19: the route example.com/a/* has no zone | Name the zone"],
    ['{ route: "example.com/a/*", zone: example.org }', "5:51: example.com is not in the zone example.org"],
    ['{ domain: a.example.com, route: "b.example.com/*" }', "5:42: an agent has a domain or a route, not both"],
    ["{ domain: a.example.com, zone: example.com }", "5:42: a zone goes with a route, not with a domain"],
    ["{}", "5:17: it names neither a domain nor a route"],
    ["{ zone: example.com }", "5:17: it names neither a domain nor a route"],
  ])("%s", (field, mistake) => {
    const [only, ...others] = mistakesOf([field]);
    expect(only).toContain(mistake);
    expect(others).toEqual([]);
  });

  test("an address that another agent has", () => {
    const both = ["{ domain: a.example.com }", "{ domain: a.example.com }"];
    expect(mistakesOf(both, "deployment: { target: cloudflare }\nexecution: { entry_point: a0 }")).toEqual([
      '8:27: the domain a.example.com is that of the agent "a0" | Each agent needs an address of its own.',
    ]);
  });
  test("an address of an agent that runs elsewhere", () => {
    expect(mistakesOf(["{ domain: a.example.com }"], "deployment: { target: local }")).toEqual([
      '5:5: the agent "a0" has an address on Cloudflare, and does not run there | Give it the target cloudflare, or remove the field.',
    ]);
  });
  test.each([
    ["", "Give it a domain, or let workers_dev be true."],
    [
      '{ route: "example.com/a/*", zone: example.com }',
      "Give it a domain instead of a part of a host, or let workers_dev be true.",
    ],
  ])("an agent (%s) without a host of its own where workers_dev is false", (field, hint) => {
    const rest = "deployment: { target: cloudflare }\ncloudflare: { workers_dev: false }";
    expect(mistakesOf([field], rest)).toEqual([
      `3:9: the agent "a0" has no address: workers_dev is false, and it has no host of its own | ${hint}`,
    ]);
  });
  test("workers_dev: false of a job that runs elsewhere", () => {
    expect(mistakesOf([""], "cloudflare: { workers_dev: false }")).toEqual([
      "6:15: no agent of this job runs on Cloudflare | Remove the field.",
    ]);
  });
});
