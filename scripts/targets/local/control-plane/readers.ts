// Commands that read from the control plane, perhaps while no job runs. The control plane does not stop under a reader.
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { controlPlaneLayout } from "../state/layout.ts";
import { lockHolder, withLock } from "../state/lock.ts";
import { hasCode } from "../../../terminal/system-error.ts";

/** Runs `work` as a reader. */
export async function asReader<Result>(home: string, work: () => Promise<Result>): Promise<Result> {
  return withLock(join(readersFolder(home), String(process.pid)), { patienceMs: 0 }, work);
}

/** Whether any living process reads. */
export async function hasReaders(home: string): Promise<boolean> {
  const folder = readersFolder(home);
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  });
  // A lock is named after its process; other files belong to locks that are being created.
  const holders = await Promise.all(names.filter(isNumber).map(async (name) => lockHolder(join(folder, name))));
  return holders.some((holder) => holder !== undefined);
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

function readersFolder(home: string): string {
  return join(controlPlaneLayout(home).folder, "readers");
}
