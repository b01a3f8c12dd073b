// Starts the release that was deployed last again, on the same hosts.
import { performance } from "node:perf_hooks";
import { TROUPE } from "#shared/tracing/names.ts";
import type { Io } from "../../terminal/io.ts";
import { stagesOf, traced } from "../local/deploy-trace.ts";
import { jobLayout } from "../local/state/layout.ts";
import { writeState } from "../local/state/state.ts";
import type { Deployed } from "../target.ts";
import { controlPlaneOf, type HostsJob } from "./job-machines.ts";
import { preflight } from "./preflight/preflight.ts";
import { eachMachine, startOnHosts, stopOnHosts } from "./run.ts";
import { hostsStatus } from "./status.ts";
import { deliverWorkerd } from "./workerd/deliver.ts";

/** Restarts the job; the caller holds its lock. Throws CliError when it does not get healthy. */
export async function restartHostsJob(home: string, job: HostsJob, io: Io): Promise<Deployed> {
  const begun = performance.now();
  const { plan } = job;
  const state = { ...job.state, stoppedAt: null };
  const find = async () => controlPlaneOf(home, job, io.signal);
  return traced(plan.job, { io, find }, async (trace) => {
    trace.root.set({ [TROUPE.release]: state.release });
    const stage = stagesOf(trace, io);
    const controlPlanePort = state.hosts?.controlPlanePort ?? 0;
    const machines = await eachMachine(plan, io.signal, async (machine) => machine);
    const hosts = await preflight(machines, [{ plan, controlPlanePort }], io);
    const workerd = await stage("workerd", "Bringing workerd to the hosts", async () =>
      Promise.all(
        [...hosts].map(
          async ([id, { connection, architecture }]) =>
            [id, (await deliverWorkerd(connection, architecture, { home, io })).path] as const,
        ),
      ),
    );
    await stage("stop", "Stopping the running release", async () => stopOnHosts(plan, io.signal));
    await writeState(jobLayout(home, plan.job).state, state);
    await stage("agents", `Waiting for ${plan.agents.length} agents`, async (span) =>
      startOnHosts({ plan, release: state.release, controlPlanePort, workerd: new Map(workerd), span, io }),
    );
    return { status: await hostsStatus(home, { state, plan }, io.signal), healthyMs: performance.now() - begun };
  });
}
