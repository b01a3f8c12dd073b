// Which ports a `.troupe` folder keeps for what is down.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { knownPorts } from "../../../../../../scripts/targets/local/processes/known-ports.ts";
import { controlPlaneLayout, jobLayout } from "../../../../../../scripts/targets/local/state/layout.ts";
import {
  type ControlPlaneState,
  type JobState,
  writeState,
} from "../../../../../../scripts/targets/local/state/state.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-known-ports-"));
});
afterEach(async () => rm(home, { recursive: true }));

async function deployed(job: string, ports: Record<string, number>): Promise<void> {
  const at = new Date().toISOString();
  const state: JobState = { job, file: `/${job}.yaml`, release: 1, deployedAt: at, stoppedAt: at, ports };
  await writeState(jobLayout(home, job).state, state);
}

test("an empty folder keeps none", async () => {
  expect(await knownPorts(home)).toEqual(new Set());
});

test("all jobs and the control plane keep theirs, stopped or not, and a damaged state keeps none", async () => {
  await deployed("one", { a: 20_001, b: 20_002 });
  await deployed("two", { a: 20_003 });
  await deployed("damaged", { a: 20_004 });
  await writeFile(jobLayout(home, "damaged").state, "{");
  const controlPlane: ControlPlaneState = { port: 20_005, modelPort: 20_006, version: "" };
  await writeState(controlPlaneLayout(home).state, controlPlane);
  expect([...(await knownPorts(home))].toSorted((a, b) => a - b)).toEqual([20_001, 20_002, 20_003, 20_005, 20_006]);
});
