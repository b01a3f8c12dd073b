// Starts the release that was deployed last again, on the same hosts.
import { performance } from "node:perf_hooks";
import { TROUPE } from "#shared/tracing/names.ts";
import type { Io } from "../../terminal/io.ts";
import { stagesOf, traced } from "../local/deploy-trace.ts";
import { jobLayout } from "../local/state/layout.ts";
import { writeState } from "../local/state/state.ts";
import type { Deployed } from "../target.ts";
import { controlPlaneOf, type HostsJob, machinesOf } from "./job-machines.ts";
import { allHealthy, flushSpans } from "./run.ts";
import { hostsStatus } from "./status.ts";
import { SPARE_MS, swap } from "./swap.ts";

/** Restarts the job; the caller holds its lock. Throws CliError when it does not get healthy. */
export async function restartHostsJob(home: string, job: HostsJob, io: Io): Promise<Deployed> {
  const begun = performance.now();
  const { plan } = job;
  const state = { ...job.state, stoppedAt: null };
  const { release } = state;
  const controlPlanePort = state.hosts?.controlPlanePort ?? 0;
  const find = async () => controlPlaneOf(home, job, io.signal);
  return traced(plan.job, { io, find }, async (trace) => {
    trace.root.set({ [TROUPE.release]: release });
    const stage = stagesOf(trace, io);
    const machines = await machinesOf(plan, io.signal);
    if (job.state.stoppedAt === null) await flushSpans(plan, io.signal);
    await stage("agents", `Waiting for ${plan.agents.length} agents`, async (span) =>
      swap({ machines, release, limitMs: plan.health.timeoutMs + SPARE_MS, dataDiffer: false, io }, async () =>
        allHealthy({ plan, machines, release, controlPlanePort, io, span }),
      ),
    );
    await writeState(jobLayout(home, plan.job).state, state);
    return { status: await hostsStatus(home, { state, plan }, io.signal), healthyMs: performance.now() - begun };
  });
}
