// Addresses of a job on Cloudflare: custom domains, routes and none below workers.dev, with the real wrangler.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";

import { type CloudflareEmulator, startCloudflare } from "../support/cloudflare/emulator.ts";
import { nodeAt } from "../support/cloudflare/wrangler.ts";
import { Deployment } from "../support/deployment.ts";
import { Answer } from "../e2e/shapes.ts";
import { call, PLAIN, publish } from "../e2e/cloudflare/calls.ts";

const QUESTION = "What is a Durable Object?";
const Card = z.object({ supportedInterfaces: z.array(z.object({ url: z.string() })) });
const Status = z.object({ agents: z.array(z.object({ url: z.string(), publicUrl: z.optional(z.string()) })) });

/** A job of one agent; `fields` is YAML. */
const alone = (name: string, fields: string, rest = "") => `name: ${name}
agents: [{ id: searcher, cloudflare: ${fields} }]
topology: { type: mesh }
deployment: { target: cloudflare, timeout: 20s }
${rest}
`;
const DOMAIN = "{ domain: agents.acme.test }";
const ROUTE = '{ route: "acme.test/search/*", zone: acme.test }';

let cloudflare: CloudflareEmulator;
let deployment: Deployment;

const deploy = async (text: string) => deployment.troupe("deploy", await deployment.write("job.yaml", text));
const addresses = (script = "troupe-team-searcher") => {
  const { isPublic, addresses: own } = cloudflare.workers().find(({ name }) => name === script) ?? {};
  return { isPublic, own };
};
const ask = async (job = "team") => Answer.parse(await deployment.json("query", job, QUESTION));
const cardAt = async (url: string) => {
  const { output } = await nodeAt(
    cloudflare,
    `console.log(await (await fetch("${url}/.well-known/agent-card.json")).text())`,
  );
  return Card.parse(JSON.parse(output)).supportedInterfaces.map((one) => one.url);
};

beforeAll(async () => {
  cloudflare = await startCloudflare();
  deployment = await Deployment.create(cloudflare.environment);
}, 60_000);
afterEach(() => {
  cloudflare.clearFaults();
});
afterAll(async () => {
  await deployment.close({ unchecked: true });
  await cloudflare[Symbol.asyncDispose]();
});

describe("an agent", () => {
  test("with a domain is there, and its card, its status and the command line know it", async () => {
    expect(await deploy(alone("team", DOMAIN))).toMatchObject({ code: 0 });
    expect(addresses()).toEqual({ isPublic: true, own: ["agents.acme.test"] });
    expect((await cardAt("https://agents.acme.test"))[1]).toBe("https://agents.acme.test");
    expect(Status.parse(await deployment.json("status", "team")).agents).toEqual([
      { url: "https://troupe-team-searcher.acme.workers.dev", publicUrl: "https://agents.acme.test" },
    ]);
    expect((await ask()).answer).toContain("Durable Object");
  });

  test("that gets a route instead is at its part of the host, and no more at the domain", async () => {
    expect(await deploy(alone("team", ROUTE))).toMatchObject({ code: 0 });
    expect(addresses()).toEqual({ isPublic: true, own: ["acme.test/search/*"] });
    expect(await cardAt("https://acme.test/search")).toEqual([
      "https://acme.test/search/jsonrpc",
      "https://acme.test/search",
      "https://acme.test/search/jsonrpc",
    ]);
    expect((await ask()).answer).toContain("Durable Object");
  });

  test("has the addresses from before when a deployment fails", async () => {
    cloudflare.fail({ call: "EDGE", worker: "troupe-team-searcher", how: { status: 500 }, times: 1_000 });
    const failed = await deploy(alone("team", DOMAIN).replace("20s", "500ms"));
    expect(failed.stderr).toContain("The former release runs again; no session was lost.");
    expect(addresses()).toEqual({ isPublic: true, own: ["acme.test/search/*"] });
  });

  test("goes back to its former address with the release before", async () => {
    await deployment.succeed("rollback", "team");
    expect(addresses()).toEqual({ isPublic: true, own: ["agents.acme.test"] });
  });

  test("has no address while its job is stopped, and all of them after that", async () => {
    await deployment.succeed("stop", "team");
    expect(addresses()).toEqual({ isPublic: false, own: [] });
    await deployment.succeed("restart", "team");
    expect(addresses()).toEqual({ isPublic: true, own: ["agents.acme.test"] });
  });

  test("is at its domain alone where workers_dev is false", async () => {
    expect(await deploy(alone("team", DOMAIN, "cloudflare: { workers_dev: false }"))).toMatchObject({ code: 0 });
    expect(addresses()).toEqual({ isPublic: false, own: ["agents.acme.test"] });
    expect((await ask()).answer).toContain("Durable Object");
  });

  test("that Access stands in front of is reached with a service token", async () => {
    const token = { id: "0123.access", secret: "service-secret" };
    for (const host of ["agents.acme.test", "troupe-control-plane.acme.workers.dev"]) cloudflare.protect(host, token);
    expect((await deployment.troupe("query", "team", QUESTION)).code).toBe(1);
    deployment.set("CLOUDFLARE_ACCESS_CLIENT_ID", token.id);
    deployment.set("CLOUDFLARE_ACCESS_CLIENT_SECRET", token.secret);
    expect((await ask()).answer).toContain("Durable Object");
    expect(await deployment.troupe("traces", "list", "team")).toMatchObject({ code: 0 });
  });
});

describe("a deployment changes nothing where the address", () => {
  test.each([
    ["is in no zone of the account", "{ domain: agents.other.test }", "has no zone that holds agents.other.test"],
    ["names a zone of others", '{ route: "x.other.test/*", zone: other.test }', "has no zone other.test"],
    ["is another Worker's", "{ domain: www.acme.test }", "www.acme.test leads to the Worker one, which is not of"],
  ])("%s", async (_, fields, words) => {
    await publish(cloudflare, "one", PLAIN);
    await call(cloudflare, "PUT", "workers/domains", { json: { hostname: "www.acme.test", service: "one" } });
    const failed = await deploy(alone("other", fields));
    expect(failed).toMatchObject({ code: 2 });
    expect(failed.stderr).toContain(words);
    expect(addresses("troupe-other-searcher")).toEqual({ isPublic: undefined, own: undefined });
  });

  test("has DNS records already", async () => {
    cloudflare.addRecord("shop.acme.test");
    const failed = await deploy(alone("other", "{ domain: shop.acme.test }"));
    expect(failed.stderr).toContain("shop.acme.test has DNS records already");
    expect(failed.stderr).toContain("Nothing of it is left in the account.");
    expect(addresses("troupe-other-searcher")).toEqual({ isPublic: undefined, own: undefined });
  });
});

test("nothing was asked of Cloudflare that it does not know", () => {
  expect(cloudflare.unknownCalls).toEqual([]);
});
