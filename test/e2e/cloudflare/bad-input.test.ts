// What a deployment to Cloudflare refuses before it uploads anything: each in a clear sentence, with what to do.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type CloudflareEmulator, startCloudflare } from "../../support/cloudflare/emulator.ts";
import { wrangler } from "../../support/cloudflare/wrangler.ts";
import { Deployment } from "../../support/deployment.ts";

const job = (name: string, rest = "") => `name: ${name}
agents: [{ id: searcher }]
topology: { type: mesh }
execution: { entry_point: searcher }
deployment: { target: cloudflare, timeout: 20s }
${rest}
`;

let cloudflare: CloudflareEmulator;
let deployment: Deployment;

/** Deploys with other variables, as far as they are given. */
async function refused(variables: NodeJS.ProcessEnv, name = "job", ...flags: string[]) {
  const other = await Deployment.create({ ...cloudflare.environment, ...variables });
  try {
    const before = cloudflare.workers().length;
    const { code, stderr } = await other.troupe("deploy", await other.write("job.yaml", job(name)), ...flags);
    expect(cloudflare.workers()).toHaveLength(before);
    return { code, stderr };
  } finally {
    await other.close({ unchecked: true });
  }
}

beforeAll(async () => {
  cloudflare = await startCloudflare();
  cloudflare.addToken("of-nobody", { rights: ["user"], accounts: [] });
  cloudflare.addToken("of-two", { rights: ["read", "edit", "user"], accounts: [cloudflare.accountId, "f".repeat(32)] });
  cloudflare.addToken("that-reads", { rights: ["read", "user"], accounts: [cloudflare.accountId] });
  deployment = await Deployment.create(cloudflare.environment);
}, 60_000);
afterAll(async () => {
  await deployment.close({ unchecked: true });
  await cloudflare[Symbol.asyncDispose]();
});

test.each([
  ["no token", { CLOUDFLARE_API_TOKEN: "" }, "The variable CLOUDFLARE_API_TOKEN is not set."],
  ["a wrong token", { CLOUDFLARE_API_TOKEN: "wrong" }, "Cloudflare refuses the token"],
  ["a token of another account", { CLOUDFLARE_API_TOKEN: "of-nobody" }, "Cloudflare refuses the token"],
  ["an id that is none", { CLOUDFLARE_ACCOUNT_ID: "acme" }, "CLOUDFLARE_ACCOUNT_ID is not the id of an account."],
  [
    "several accounts",
    { CLOUDFLARE_API_TOKEN: "of-two", CLOUDFLARE_ACCOUNT_ID: "" },
    "CLOUDFLARE_API_TOKEN sees 2 accounts",
  ],
  ["no network", { CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9" }, "Cloudflare's API cannot be reached"],
])("%s is refused", async (_, variables, message) => {
  const { code, stderr } = await refused(variables);
  expect(code).toBeGreaterThan(0);
  expect(stderr).toContain(message);
});

test("a namespace that is none is refused", async () => {
  const { code, stderr } = await refused({}, "job", "--namespace", "No_Name");
  expect([code, stderr]).toEqual([2, expect.stringContaining("--namespace: a namespace has 2 to 20 characters")]);
});

test("a token that may only read is refused by the first upload, and nothing is left", async () => {
  const { code, stderr } = await refused({ CLOUDFLARE_API_TOKEN: "that-reads" });
  expect(code).toBe(1);
  expect(stderr).toContain("Authentication error [code: 10000]");
  expect(stderr).toContain('CLOUDFLARE_API_TOKEN needs the right "Workers Scripts: Edit"');
});

describe("names", () => {
  test("a Worker that Troupe did not make keeps its name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "troupe-foreign-"));
    try {
      await writeFile(join(folder, "index.js"), "export default { fetch: () => new Response('mine') };");
      const config = { name: "troupe-taken-searcher", main: "index.js", compatibility_date: "2026-10-15" };
      await writeFile(join(folder, "wrangler.json"), JSON.stringify(config));
      expect(await wrangler(cloudflare, folder, ["deploy", "--config", "wrangler.json"])).toMatchObject({ code: 0 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    const { code, stderr } = await refused({}, "taken");
    expect(code).toBe(1);
    expect(stderr).toContain("a Worker named troupe-taken-searcher, but the account has one that Troupe did not make.");
  });

  test("a control plane that another machine made is not taken over, and another namespace is free", async () => {
    await deployment.succeed("deploy", await deployment.write("job.yaml", job("first")));
    const { code, stderr } = await refused({}, "second");
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
