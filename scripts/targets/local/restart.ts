// Starting the release that was deployed last again: after a crash, after a stop, or in place of what runs.
import { performance } from "node:perf_hooks";

import { buildWorkers } from "../../build.ts";
import { CliError } from "../../cli-error.ts";
import { type Io, step } from "../../io.ts";
import type { Deployed } from "../target.ts";
import { ensureControlPlane } from "./control-plane.ts";
import { start } from "./deploy.ts";
import { jobLayout } from "./layout.ts";
import { isTaken } from "./ports.ts";
import { readRelease } from "./release.ts";
import { endProcesses } from "./run.ts";
import { type JobState, readJobState, runningProcesses } from "./state.ts";
import { jobStatus } from "./status.ts";

/** Restarts the job; the caller holds its lock. Throws CliError when it was never deployed or does not get healthy. */
export async function restartJob(home: string, job: string, io: Io): Promise<Deployed> {
  const begun = performance.now();
  const last = await readJobState(home, job);
  if (last === undefined) throw new CliError("bad_input", `${job} is not deployed.`, `Run: troupe deploy ${job}`);
  const plan = await readRelease(jobLayout(home, job), last.release);
  const { bundles } = await step(io, "Building the Workers", async () => buildWorkers(home));
  const controlPlane = await step(io, "Starting the control plane", async () => ensureControlPlane(home, bundles, io));
  await step(io, "Stopping what runs of it", async () => endProcesses(await runningProcesses(last)));
  for (const { id, socket } of plan.agents) {
    if (!(await isTaken(socket.port))) continue;
    throw new CliError(
      "failed",
      `Port ${socket.port} of the agent ${id} is in use by another program now.`,
      `End that program, or run: troupe deploy ${job} (which chooses another port unless the job names it).`,
    );
  }
  const next: JobState = { ...last, stoppedAt: null, processes: [] };
  await step(io, `Waiting for ${plan.agents.length} agents`, async () => start(home, plan, next, controlPlane, io));
  const state = await readJobState(home, job);
  return { status: await jobStatus(home, state ?? next), healthyMs: performance.now() - begun };
}
