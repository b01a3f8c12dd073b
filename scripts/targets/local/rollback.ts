// Returns to a release that ran before. The present one comes back where that does not get healthy.
import { performance } from "node:perf_hooks";
import { TROUPE } from "#shared/tracing/names.ts";
import { buildWorkers } from "../../project/build.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { troupe } from "../../terminal/hint.ts";
import type { Io } from "../../terminal/io.ts";
import type { Deployed, RollbackRequest } from "../target.ts";
import { ensureControlPlane, findControlPlane } from "./control-plane/control-plane.ts";
import { rollBack, start } from "./deploy.ts";
import { stagesOf, traced } from "./deploy-trace.ts";
import { jobLayout } from "./state/layout.ts";
import { dataDiffer, formerRelease, ranElsewhere, readRelease } from "./state/release.ts";
import { keepData, requireData, restoreData } from "./state/snapshot.ts";
import { stopProcesses } from "./run.ts";
import { type JobState, readJobState } from "./state/state.ts";
import { jobStatus } from "./status.ts";

/** The caller holds the job's lock. Throws CliError; then what ran before runs again. */
export async function rollbackJob(
  home: string,
  { job, to, restoreData: restore }: RollbackRequest,
  io: Io,
): Promise<Deployed> {
  const find = async () => findControlPlane(home);
  return traced(job, { io, find }, async (trace) => {
    const begun = performance.now();
    const layout = jobLayout(home, job);
    const last = await readJobState(home, job);
    if (last === undefined) throw new CliError("bad_input", `${job} is not deployed.`, `Run: ${troupe`deploy ${job}`}`);
    const release = await formerRelease(layout, last.release, to);
    const [present, plan] = await Promise.all([readRelease(layout, last.release), readRelease(layout, release)]);
    const elsewhere = plan.places.filter(({ kind }) => kind !== "local").map(({ id }) => id);
    if (elsewhere.length > 0) throw ranElsewhere(plan, release, elsewhere);
    const differ = dataDiffer(present, plan, { number: release, restore });
    if (restore) requireData(layout, release);
    trace.root.set({ [TROUPE.release]: release });
    const stage = stagesOf(trace, io);
    const { bundles } = await stage("build", "Building the Workers", async () => buildWorkers(home));
    const controlPlane = await stage("control_plane", "Starting the control plane", async () =>
      ensureControlPlane(home, bundles, io),
    );
    await stage("stop", "Stopping the running release", async () => stopProcesses(home, job, last));
    const ports = Object.fromEntries(plan.agents.map(({ id, socket }) => [id, socket.port]));
    const next: JobState = { ...last, release, ports, stoppedAt: null };
    let undo = async () => {};
    try {
      if (restore) await restoreData(layout, { release, present: last.release });
      else if (differ) await keepData(layout, last.release);
      if (restore || differ) undo = async () => restoreData(layout, { release: last.release, present: release });
      await stage("agents", `Waiting for ${plan.agents.length} agents`, async (span) =>
        start(home, plan, next, { controlPlane, span, io }),
      );
    } catch (error) {
      await undo();
      const before = last.stoppedAt === null ? last : undefined;
      throw await rollBack(home, { last: before, failed: last, error, controlPlane, trace, io });
    }
    return { status: await jobStatus(home, next), healthyMs: performance.now() - begun };
  });
}
