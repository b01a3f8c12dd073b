// After a change that did not succeed: what held before is held again.
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { reasonOf } from "#shared/text/reason.ts";
import { troupe } from "../../terminal/hint.ts";
import type { Io } from "../../terminal/io.ts";
import type { JobState } from "../local/state/state.ts";
import { machinesOf } from "./job-machines.ts";
import { endTunnels, holdTunnels } from "./tunnels/holder.ts";

/** Has the tunnels of the former plan held, if it ran, and none otherwise. Notes what does not succeed. */
export async function holdAgain(
  job: string,
  { plan, state }: { readonly plan: Plan | undefined; readonly state: JobState | undefined },
  io: Io,
): Promise<void> {
  // Ctrl-C must not cut the way back.
  const { signal } = new AbortController();
  try {
    if (plan === undefined || state?.stoppedAt !== null) return await endTunnels(job);
    const controlPlanePort = state.hosts?.controlPlanePort ?? 0;
    await holdTunnels({ plan, controlPlanePort, machines: await machinesOf(plan, signal) }, signal);
  } catch (error) {
    io.note(`The tunnels of the former release are not held: ${reasonOf(error)}\nRun: ${troupe`restart ${job}`}`);
  }
}
