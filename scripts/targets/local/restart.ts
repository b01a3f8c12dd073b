// Starts the release that was deployed last again: after a crash, after a stop, or in place of the running processes.
import { performance } from "node:perf_hooks";

import { TROUPE } from "#shared/tracing/names.ts";

import { buildWorkers } from "../../project/build.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { troupe } from "../../terminal/hint.ts";
import type { Io } from "../../terminal/io.ts";
import type { Deployed } from "../target.ts";
import { ensureControlPlane, findControlPlane } from "./control-plane/control-plane.ts";
import { start } from "./deploy.ts";
import { type DeployTrace, stagesOf, traced } from "./deploy-trace.ts";
import { jobLayout } from "./state/layout.ts";
import { checkOpenFiles } from "./processes/open-files.ts";
import { isTaken } from "./processes/ports.ts";
import { readRelease } from "./state/release.ts";
import { stopProcesses } from "./run.ts";
import { type JobState, readJobState } from "./state/state.ts";
import { jobStatus } from "./status.ts";

/** Restarts the job; the caller holds its lock. Throws CliError when the job was never deployed or does not get healthy. */
export async function restartJob(home: string, job: string, io: Io): Promise<Deployed> {
  const find = async () => findControlPlane(home);
  return traced(job, { io, find }, async (trace) => restart(home, job, trace, io));
}

async function restart(home: string, job: string, trace: DeployTrace, io: Io): Promise<Deployed> {
  const begun = performance.now();
  const last = await readJobState(home, job);
  if (last === undefined) throw new CliError("bad_input", `${job} is not deployed.`, `Run: ${troupe`deploy ${job}`}`);
  await checkOpenFiles(io);
  const plan = await readRelease(jobLayout(home, job), last.release);
  trace.root.set({ [TROUPE.release]: last.release });
  const stage = stagesOf(trace, io);
  const { bundles } = await stage("build", "Building the Workers", async () => buildWorkers(home));
  const controlPlane = await stage("control_plane", "Starting the control plane", async () =>
    ensureControlPlane(home, bundles, io),
  );
  await stage("stop", "Stopping the running release", async () => stopProcesses(home, job, last));
  for (const { id, socket } of plan.agents) {
    if (!(await isTaken(socket.port))) continue;
    throw new CliError(
      "failed",
      `Port ${socket.port} of the agent ${id} is now in use by another program.`,
      `End that program, or choose another port (unless the job names this one): ${troupe`deploy ${job}`}`,
    );
  }
  const next: JobState = { ...last, stoppedAt: null };
  await stage("agents", `Waiting for ${plan.agents.length} agents`, async (span) =>
    start(home, plan, next, { controlPlane, span, io }),
  );
  return { status: await jobStatus(home, next), healthyMs: performance.now() - begun };
}
