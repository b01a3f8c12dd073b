// Locks between processes: who waits, who gives up, and which locks are stale.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, expect, test } from "vitest";

import { acquireLock, lockHolder } from "../../../../../../scripts/targets/local/state/lock.ts";
import { endProcess, identify, isRunning } from "../../../../../../scripts/targets/local/state/process.ts";

const SCRIPTS = join(import.meta.dirname, "../../../../../../scripts/targets/local/processes");

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-lock-"));
  path = join(folder, "lock");
});
afterEach(async () => rm(folder, { recursive: true }));

async function ownIdentity() {
  const identity = await identify(process.pid);
  if (identity === undefined) throw new Error("This process has no identity");
  return identity;
}

test("a lock held by a living process is refused, with its pid", async () => {
  await acquireLock(path, { patienceMs: 0 });
  await expect(acquireLock(path, { patienceMs: 0 })).rejects.toMatchObject({ name: "LockedError", pid: process.pid });
});

test("a lock is seen by the scripts that end processes", async () => {
  await acquireLock(path, { patienceMs: 0 });
  const seen = `. "${SCRIPTS}/process.sh"; holder "$1"`;
  const { stdout } = await promisify(execFile)("sh", ["-c", seen, "sh", path]);
  expect(stdout).toBe(`${process.pid}\n`);
});

test("a second one waits until the first lets go, and is told for whom it waits", async () => {
  const first = await acquireLock(path, { patienceMs: 0 });
  const waits: number[] = [];
  const second = acquireLock(path, {
    patienceMs: 10_000,
    onWait: ({ pid }) => {
      waits.push(pid);
      void first.release();
    },
  });
  await (await second).release();
  expect(waits).toEqual([process.pid]);
});

test("a wait ends when it is interrupted", async () => {
  await acquireLock(path, { patienceMs: 0 });
  const interruption = new AbortController();
  const waiting = acquireLock(path, {
    patienceMs: 10_000,
    onWait: () => interruption.abort(new Error("enough")),
    signal: interruption.signal,
  });
  await expect(waiting).rejects.toThrow("enough");
});

test("a lock whose pid belongs to another process by now is stale", async () => {
  await writeFile(path, JSON.stringify({ ...(await ownIdentity()), started: "long ago" }));
  expect(await lockHolder(path)).toBeUndefined();
  await acquireLock(path, { patienceMs: 0 });
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual(await ownIdentity());
});

test("an empty lock, as a crash may leave it, is stale", async () => {
  await writeFile(path, "");
  await acquireLock(path, { patienceMs: 0 });
  expect(await lockHolder(path)).toEqual(await ownIdentity());
});

test("of many who want a stale lock at once exactly one gets it, each time", async () => {
  for (let round = 0; round < 30; round++) {
    await writeFile(path, JSON.stringify({ pid: 1, started: "long ago" }));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 16 }, async () => acquireLock(path, { patienceMs: 0 })),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  }
});

test("releasing leaves a lock alone that somebody else holds by now", async () => {
  const mine = await acquireLock(path, { patienceMs: 0 });
  await writeFile(path, JSON.stringify({ pid: process.pid, started: "later" }));
  await mine.release();
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ started: "later" });
});

test("a process that ended is not running, even while its parent has not collected it", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(child, "spawn");
  const identity = await identify(child.pid ?? 0);
  if (identity === undefined) throw new Error("The child has no identity");
  expect(await isRunning({ ...identity, started: "another time" })).toBe(false);
  await endProcess(identity);
  expect(await isRunning(identity)).toBe(false);
});

test("ending leaves a process alone that only has the same pid", async () => {
  await endProcess({ ...(await ownIdentity()), started: "long ago" });
  expect(await isRunning(await ownIdentity())).toBe(true);
});
