// Whose Workers are whose: control planes, namespaces, and what cleanup leaves alone.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { type CloudflareEmulator, startCloudflare } from "../support/cloudflare/emulator.ts";
import { wrangler } from "../support/cloudflare/wrangler.ts";
import { Deployment } from "../support/deployment.ts";

const job = (name: string, rest = "") => `name: ${name}
agents: [{ id: searcher }]
topology: { type: mesh }
execution: { entry_point: searcher }
deployment: { target: cloudflare, timeout: 20s }
${rest}
`;

let cloudflare: CloudflareEmulator;
let deployment: Deployment;

beforeAll(async () => {
  cloudflare = await startCloudflare();
  deployment = await Deployment.create(cloudflare.environment);
}, 60_000);
afterAll(async () => {
  await deployment.close({ unchecked: true });
  await cloudflare[Symbol.asyncDispose]();
});

test("a control plane that another machine made is not taken over, and another namespace is free", async () => {
  await deployment.succeed("deploy", await deployment.write("job.yaml", job("first")));
  const third = await Deployment.create(cloudflare.environment);
  const { code, stderr } = await third.troupe("deploy", await third.write("job.yaml", job("second")));
  await third.close({ unchecked: true });
  expect(code).toBe(1);
  expect(stderr).toContain("The account has a control plane of Troupe already (troupe-control-plane)");
  const other = await Deployment.create(cloudflare.environment);
  try {
    const file = await other.write("job.yaml", job("second"));
    await other.succeed("deploy", file, "--namespace", "team-two");
    expect((await other.troupe("deploy", file, "--namespace", "team-three")).stderr).toContain(
      "second is in the namespace team-two",
    );
  } finally {
    await other.close({ unchecked: true });
  }
  const names = cloudflare.workers().map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["troupe-control-plane", "team-two-control-plane"]));
});

test("cleanup removes a stopped job's Workers, but none that something else binds to", async () => {
  const folder = await mkdtemp(join(tmpdir(), "troupe-binder-"));
  try {
    await writeFile(join(folder, "index.js"), "export default { fetch: (r, env) => env.IT.fetch(r) };");
    const services = [{ binding: "IT", service: "troupe-first-searcher" }];
    const config = { name: "binder", main: "index.js", compatibility_date: "2026-10-15", services };
    await writeFile(join(folder, "wrangler.json"), JSON.stringify(config));
    expect(await wrangler(cloudflare, folder, ["deploy", "--config", "wrangler.json"])).toMatchObject({ code: 0 });
    await deployment.succeed("stop", "first");
    const kept = await deployment.troupe("cleanup", "first", "--older-than", "0s");
    expect([kept.code, kept.stderr]).toEqual([
      1,
      expect.stringContaining("troupe-first-searcher stays: binder binds to it."),
    ]);
    expect(await wrangler(cloudflare, folder, ["delete", "--name", "binder", "--force"])).toMatchObject({ code: 0 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await deployment.succeed("cleanup", "first", "--older-than", "0s");
  expect(cloudflare.workers().map(({ name }) => name)).not.toContain("troupe-first-searcher");
});
