// Returns to a release that ran before, on all hosts or on none.
import { performance } from "node:perf_hooks";
import { TROUPE } from "#shared/tracing/names.ts";
import type { Io } from "../../terminal/io.ts";
import { stagesOf, traced } from "../local/deploy-trace.ts";
import { jobLayout } from "../local/state/layout.ts";
import { dataDiffer, formerRelease, ranElsewhere, readRelease } from "../local/state/release.ts";
import { type JobState, writeState } from "../local/state/state.ts";
import type { Deployed, RollbackRequest } from "../target.ts";
import { controlPlaneOf, type HostsJob, machinesOf } from "./job-machines.ts";
import { allHealthy, flushSpans } from "./run.ts";
import { hostsStatus } from "./status.ts";
import { SPARE_MS, swap } from "./swap.ts";
import { holdAgain } from "./hold-again.ts";

/** The caller holds the job's lock. Throws CliError; then what ran before runs again. */
export async function rollbackHostsJob(
  home: string,
  job: HostsJob,
  { to, restoreData }: RollbackRequest,
  io: Io,
): Promise<Deployed> {
  const begun = performance.now();
  const layout = jobLayout(home, job.state.job);
  const find = async () => controlPlaneOf(home, job, io.signal);
  return traced(job.state.job, { io, find }, async (trace) => {
    const release = await formerRelease(layout, job.state.release, to);
    const plan = await readRelease(layout, release);
    const elsewhere = plan.places.filter(({ id }) => !job.plan.places.some((place) => place.id === id));
    if (elsewhere.length > 0 || plan.places.length !== job.plan.places.length)
      throw ranElsewhere(
        plan,
        release,
        plan.places.map(({ id }) => id),
      );
    const differ = dataDiffer(job.plan, plan, { number: release, restore: restoreData });
    trace.root.set({ [TROUPE.release]: release });
    const stage = stagesOf(trace, io);
    const machines = await machinesOf(plan, io.signal);
    await Promise.all(
      [...machines.values()].map(async (machine) => {
        await machine.requireRelease(release);
        if (restoreData) await machine.requireData(release);
      }),
    );
    if (job.state.stoppedAt === null) await flushSpans(job.plan, io.signal);
    const controlPlanePort = job.state.hosts?.controlPlanePort ?? 0;
    const { fingerprint: _, ...hosts } = job.state.hosts ?? { controlPlanePort, tlsPorts: {} };
    const ports = Object.fromEntries(plan.agents.map(({ id, socket }) => [id, socket.port]));
    const state: JobState = { ...job.state, release, ports, hosts, stoppedAt: null };
    await stage("agents", `Starting ${plan.agents.length} agents`, async (span) =>
      swap(
        {
          machines,
          release,
          limitMs: plan.health.timeoutMs + SPARE_MS,
          dataDiffer: differ,
          restoreDataOf: restoreData ? release : undefined,
          io,
        },
        async () => {
          await allHealthy({ plan, machines, release, controlPlanePort, io, span });
          await writeState(layout.state, state);
        },
      ),
    ).catch(async (error: unknown) => {
      await writeState(layout.state, job.state);
      await holdAgain(plan.job, job, io);
      throw error;
    });
    return { status: await hostsStatus(home, { state, plan }, io.signal), healthyMs: performance.now() - begun };
  });
}
