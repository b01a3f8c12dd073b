// What a deployment to Cloudflare refuses before it uploads anything: each in a clear sentence, with what to do.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

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
}, 60_000);
afterAll(async () => cloudflare[Symbol.asyncDispose]());

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
