// A copy of a job's data as a release left them, for the way back over a change of their form. Nothing may run meanwhile.
import { constants, existsSync } from "node:fs";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { CliError } from "../../../terminal/cli-error.ts";
import { hasCode } from "../../../terminal/system-error.ts";
import type { JobLayout } from "./layout.ts";

/** Blocks are shared where the file system can. */
const HOW = { recursive: true, mode: constants.COPYFILE_FICLONE, preserveTimestamps: true } as const;

/** Keeps the data as `release` leaves them, and forgets those of all others. */
export async function keepData({ data, snapshots }: JobLayout, release: number): Promise<void> {
  const made = await emptied(`${snapshots}.new`);
  await cp(data, join(made, String(release)), HOW);
  await replace(snapshots, made);
}

/** Throws CliError where no data of this release are kept. */
export function requireData({ snapshots }: JobLayout, release: number): void {
  if (!existsSync(join(snapshots, String(release)))) throw noData(release);
}

function noData(release: number): CliError {
  return new CliError(
    "failed",
    `No data of release ${release} are kept: only those of the release before the present one are.`,
  );
}

/** Puts the kept data of `release` in the place of the present ones, which are kept as those of `present`. Throws CliError where none are kept. */
export async function restoreData(
  { data, snapshots }: JobLayout,
  { release, present }: { readonly release: number; readonly present: number },
): Promise<void> {
  const [restored, kept] = [await emptied(`${data}.new`), await emptied(`${snapshots}.new`)];
  try {
    await cp(join(snapshots, String(release)), restored, HOW);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
    throw noData(release);
  }
  await mkdir(kept);
  await rename(data, join(kept, String(present)));
  await rename(restored, data);
  await replace(snapshots, kept);
}

async function emptied(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  return folder;
}

async function replace(folder: string, made: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rename(made, folder);
}
