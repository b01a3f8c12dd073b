// What `troupe plan` says a deployment would change, against real deployments.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";

import { Deployment } from "../support/deployment.ts";

const Planned = z.object({
  agents: z.array(z.object({ id: z.string(), place: z.string(), secrets: z.array(z.string()) })),
  notes: z.array(z.string()),
  release: z.nullable(z.object({ number: z.int(), stoppedAt: z.nullable(z.string()) })),
  changes: z.nullable(
    z.object({
      agents: z.array(z.object({ id: z.string(), change: z.string(), differs: z.array(z.string()) })),
      job: z.array(z.string()),
    }),
  ),
});

let deployment: Deployment;
let file: string;
beforeAll(async () => {
  deployment = await Deployment.create();
  file = await deployment.write(
    "pair.yaml",
    "name: pair\nagents:\n  - id: desk\n  - { id: payments, env: { BANK: '${BANK}' } }\ntopology: { type: pipeline, stages: [desk, payments] }\n",
  );
  deployment.set("BANK", "secret-bank");
});
afterAll(async () => deployment.close());

async function planned(...args: string[]) {
  return Planned.parse(JSON.parse(await deployment.succeed("plan", file, "--json", ...args)));
}

test("of a job that was never deployed all is new; after that only what differs", async () => {
  const before = await planned();
  expect(before.release).toBeNull();
  expect(before.changes?.agents.map(({ change }) => change)).toEqual(["create", "create"]);
  expect(before.agents.map(({ secrets }) => secrets)).toEqual([[], ["BANK"]]);

  await deployment.succeed("deploy", file);
  const same = await planned();
  expect(same.release).toEqual({ number: 1, stoppedAt: null });
  expect(same.changes).toEqual({
    agents: ["desk", "payments"].map((id) => ({ id, change: "unchanged", differs: [] })),
    job: [],
  });

  await writeFile(file, `${await readFile(file, "utf8")}version: "2"\nbudget: { max_turns: 9 }\n`);
  expect(await deployment.succeed("plan", file)).toMatch(
    /^Changes \(to release 1 of .*\)\n  desk      update  budget of a query\n  payments  update  budget of a query\n  The job differs in: version$/m,
  );
}, 120_000);

test("an agent that moves leaves its sessions, and no host is connected to", async () => {
  await deployment.write("hosts", "h1.invalid\nh2.invalid\n");
  const text = await deployment.succeed("plan", file, "--hosts", "hosts");
  expect(text).toMatch(/^  h1-invalid  ssh h1.invalid  over HTTPS at h1.invalid$/m);
  expect(text).toMatch(/^  desk      update  place local → h1-invalid, .*; its sessions stay on local$/m);
  expect(text).toContain("The control plane leaves local: its traces, budgets and keys stay there");
});

test("where slots run out, the plan says so", async () => {
  await deployment.write("one-host", "h1.invalid\n");
  expect((await planned("--hosts", "one-host")).notes).toEqual([
    "The host file has 1 slot for 2 agents, so the dealing began again at its first host.",
  ]);
});

test("a release that is damaged is not compared, and the plan is shown all the same", async () => {
  await writeFile(join(deployment.home, ".troupe", "jobs", "pair", "releases", "1", "plan.json"), "{");
  const { code, stdout, stderr } = await deployment.troupe("plan", file, "--json");
  expect([code, Planned.parse(JSON.parse(stdout)).changes]).toEqual([0, null]);
  expect(stderr).toContain("What is deployed cannot be compared");
});
