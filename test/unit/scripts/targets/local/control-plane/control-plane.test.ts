// When the control plane may be stopped: decided from locks and states on disk, on a process that stands in for workerd.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { releaseControlPlane } from "../../../../../../scripts/targets/local/control-plane/control-plane.ts";
import { controlPlaneLayout, jobLayout } from "../../../../../../scripts/targets/local/state/layout.ts";
import { acquireLock, withLock } from "../../../../../../scripts/targets/local/state/lock.ts";
import {
  endProcess,
  identify,
  isRunning,
  type ProcessIdentity,
} from "../../../../../../scripts/targets/local/state/process.ts";

let home: string;
let running: ProcessIdentity;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-control-plane-"));
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  await once(child, "spawn");
  const identity = await identify(child.pid ?? 0);
  if (identity === undefined) throw new Error("The process is gone already.");
  running = identity;
  await acquireLock(controlPlaneLayout(home).registry.dataLock, { patienceMs: 0, holder: running });
});
afterEach(async () => {
  await endProcess(running);
  await rm(home, { recursive: true });
});

test("a job that is being deployed for the first time, with nothing but its lock, keeps the control plane", async () => {
  await withLock(jobLayout(home, "first").lock, { patienceMs: 0 }, async () => {
    await releaseControlPlane(home, "");
    expect(await isRunning(running)).toBe(true);
  });
});

test("a job that could not be deployed does not keep it", async () => {
  await withLock(jobLayout(home, "failed").lock, { patienceMs: 0 }, async () => {});
  await releaseControlPlane(home, "");
  expect(await isRunning(running)).toBe(false);
});

test("the job that is just being stopped does not keep it", async () => {
  await withLock(jobLayout(home, "last").lock, { patienceMs: 0 }, async () => releaseControlPlane(home, "last"));
  expect(await isRunning(running)).toBe(false);
});
