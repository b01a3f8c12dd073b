// A plan beyond Cloudflare's limits ends a deployment before the first upload, with all its reasons.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { Io } from "../../../../../scripts/terminal/io.ts";
import { keepWithinLimits, limitFindings } from "../../../../../scripts/targets/cloudflare/limits.ts";
import { hubOf, plannedAgents } from "../../../jobs/cloudflare/planned.ts";

const asked: string[] = [];
let scripts: string[] = [];
const api = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ success: true, result: scripts.map((id) => ({ id })) }));
});
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-limits-"));
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  api.close();
  await rm(folder, { recursive: true, force: true });
});

async function keep(plan: ReturnType<typeof plannedAgents>): Promise<string[]> {
  const notes: string[] = [];
  const io: Io = {
    print: () => {},
    write: () => {},
    note: (text) => notes.push(text),
    signal: new AbortController().signal,
    interactive: false,
  };
  const { port } = api.address() as AddressInfo;
  const credentials = { url: `http://127.0.0.1:${port}`, token: "t" };
  const account = { id: "acme", credentials, namespace: "troupe", subdomain: "acme" };
  await keepWithinLimits(plan, { account, bundles: new Map(), io });
  return notes;
}

test("the account's other Workers count, and those of the job count once", async () => {
  const plan = plannedAgents(2, hubOf(2), { agent: ", budget: { max_turns: 2 }" });
  scripts = [...Array.from({ length: 498 }, (_, at) => `other-${at}`), "troupe-x-agent-1", "troupe-x-agent-2"];
  expect(await keep(plan)).toEqual([
    "With this job the account has 500 Workers, and 100 are allowed on Workers Free. Use the plan Workers Paid.",
  ]);
  scripts = [...scripts, "one-more"];
  await expect(keep(plan)).rejects.toThrow("With this job the account has 501 Workers, and 500 are allowed.");
  expect(new Set(asked)).toEqual(new Set(["GET /accounts/acme/workers/scripts"]));
});

test("a refused plan says all its reasons, and what to do about each", async () => {
  scripts = [];
  const plan = plannedAgents(2, hubOf(2), { agent: ', config: { search: { url: "http://127.0.0.1:8888" } }' });
  const refusal = await keep(plan).catch((error: unknown) => error);
  expect(refusal).toMatchObject({
    code: "bad_input",
    message:
      "The agent agent_1 needs http://127.0.0.1:8888, which is a private address: a Worker on Cloudflare cannot reach it.\n" +
      "The agent agent_2 needs http://127.0.0.1:8888, which is a private address: a Worker on Cloudflare cannot reach it.",
    next: "Give it a public address, or let the agent run on this machine or on a host.",
  });
});

test("a module counts as large as its file", async () => {
  const path = join(folder, "index.js");
  await writeFile(path, "x".repeat(64 * 1024 * 1024 + 1));
  const findings = await limitFindings(plannedAgents(1), new Map([["searcher", { path }]]));
  expect(findings.map(({ message }) => message)).toContain(
    "The module of searcher has 67108865 bytes, and 67108864 are allowed.",
  );
});
