// Stops a job on its hosts; its sessions stay there.
import { reasonOf } from "#shared/text/reason.ts";
import { CliError } from "../../terminal/cli-error.ts";
import { troupe } from "../../terminal/hint.ts";
import type { Io } from "../../terminal/io.ts";
import { jobLayout } from "../local/state/layout.ts";
import { writeState } from "../local/state/state.ts";
import { type HostsJob, machineAt } from "./job-machines.ts";
import { flushSpans } from "./run.ts";
import { endTunnels } from "./tunnels/holder.ts";

/**
 * Stops the job; the caller holds its lock. False when it did not run. May be repeated. A host that does not answer holds no other up: then
 * it throws CliError at the end.
 */
export async function stopHostsJob(home: string, { state, plan }: HostsJob, io: Io): Promise<boolean> {
  // All agents send their spans before the control plane ends.
  if (state.stoppedAt === null) await flushSpans(plan, io.signal);
  await endTunnels(plan.job);
  const all = await Promise.allSettled(
    plan.places.map(async (place) => (await machineAt(place, plan.job, io.signal)).stop()),
  );
  io.signal.throwIfAborted();
  const stopped = { ...state, stoppedAt: state.stoppedAt ?? new Date().toISOString() };
  await writeState(jobLayout(home, state.job).state, stopped);
  const away = plan.places.flatMap(({ id }, index) => {
    const outcome = all[index];
    return outcome?.status === "rejected" ? [`What runs on ${id} runs on: ${reasonOf(outcome.reason)}`] : [];
  });
  if (away.length > 0)
    throw new CliError("failed", away.join("\n"), `When the host is there again, run: ${troupe`stop ${state.job}`}`);
  return all.some((outcome) => outcome.status === "fulfilled" && outcome.value);
}
