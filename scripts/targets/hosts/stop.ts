// Stops a job on its hosts; its sessions stay there.
import type { Io } from "../../terminal/io.ts";
import { jobLayout } from "../local/state/layout.ts";
import { writeState } from "../local/state/state.ts";
import { type HostsJob, machinesOf } from "./job-machines.ts";
import { flushSpans } from "./run.ts";
import { endTunnels } from "./tunnels/holder.ts";

/** Stops the job; the caller holds its lock. False when it did not run. May be repeated. */
export async function stopHostsJob(home: string, { state, plan }: HostsJob, io: Io): Promise<boolean> {
  const machines = await machinesOf(plan, io.signal);
  if (state.stoppedAt === null) await flushSpans(plan, io.signal);
  const ran = await Promise.all([...machines.values()].map(async (machine) => machine.stop()));
  await endTunnels(machines);
  await writeState(jobLayout(home, state.job).state, {
    ...state,
    stoppedAt: state.stoppedAt ?? new Date().toISOString(),
  });
  return ran.some(Boolean);
}
