// Stopping a job: its processes end, the registry forgets its agents, its sessions stay on disk.
import { CliError } from "../../cli-error.ts";
import { findControlPlane, releaseControlPlane } from "./control-plane.ts";
import { jobLayout } from "./layout.ts";
import { unregisterAgents } from "./registry.ts";
import { stopProcesses } from "./run.ts";
import { readJobState, runningProcesses, writeState } from "./state.ts";
import { troupe } from "../../hint.ts";

/** Stops the job; the caller holds its lock. False when nothing of it ran. May be repeated. */
export async function stopJob(home: string, job: string): Promise<boolean> {
  const state = await readJobState(home, job);
  if (state === undefined) throw new CliError("bad_input", `${job} is not deployed.`, `Run: ${troupe`list`}`);
  const running = await runningProcesses(state);
  await stopProcesses(running, state);
  const stoppedAt = state.stoppedAt ?? new Date().toISOString();
  await writeState(jobLayout(home, job).state, { ...state, stoppedAt, processes: [] });
  const controlPlane = await findControlPlane(home);
  if (controlPlane !== undefined) await unregisterAgents(controlPlane, job, Object.keys(state.ports));
  await releaseControlPlane(home, job);
  return running.length > 0;
}
