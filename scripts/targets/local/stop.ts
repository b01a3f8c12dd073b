// Stops a job: ends its processes and unregisters its agents; its sessions stay on the disk.
import type { Io } from "../../terminal/io.ts";
import { hasNoRoom } from "../../terminal/system-error.ts";
import { findControlPlane, releaseControlPlane } from "./control-plane/control-plane.ts";
import { jobLayout } from "./state/layout.ts";
import { unregisterAgents } from "./control-plane/registry.ts";
import { stopProcesses } from "./run.ts";
import { isUp } from "./processes/processes.ts";
import { DamagedError, type JobState, overwriteState, readJobState, writeState } from "./state/state.ts";

/** Stops the job; the caller holds its lock. False when it did not run. May be repeated. Needs no room on the disk. */
export async function stopJob(home: string, job: string, io: Io): Promise<boolean> {
  const state = await readJobState(home, job).catch((error: unknown) => {
    if (!(error instanceof DamagedError)) throw error;
    // Running processes are found without the state.
    io.note(`${error.message}\n${error.next}`);
    return undefined;
  });
  const wasUp = await isUp(home, job);
  await stopProcesses(home, job, state);
  if (state !== undefined) {
    const stopped = { ...state, stoppedAt: state.stoppedAt ?? new Date().toISOString() };
    await storeStopped(jobLayout(home, job).state, stopped, io);
    const controlPlane = await findControlPlane(home);
    if (controlPlane !== undefined) await unregisterAgents(controlPlane, job, Object.keys(state.ports));
  }
  await releaseControlPlane(home, job);
  return wasUp;
}

/** Writes the state; on a full disk over the old one, which needs no new room. Notes where that fails too. */
async function storeStopped(path: string, state: JobState, io: Io): Promise<void> {
  try {
    await writeState(path, state);
  } catch (error) {
    if (!hasNoRoom(error)) throw error;
    await overwriteState(path, state).catch((again: unknown) => {
      if (!hasNoRoom(again)) throw again;
      io.note(`The job is stopped, but ${path} cannot be written: its status will be dead.`);
    });
  }
}
