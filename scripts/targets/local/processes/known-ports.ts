// The ports of all that a `.troupe` folder holds, running or not: what is down comes back on the port it had.
import { controlPlaneLayout } from "../state/layout.ts";
import { ControlPlaneState, DamagedError, knownJobs, readJobState, readState } from "../state/state.ts";

export async function knownPorts(home: string): Promise<Set<number>> {
  const jobs = await Promise.all((await knownJobs(home)).map(async (job) => legible(readJobState(home, job))));
  const controlPlane = await legible(readState(controlPlaneLayout(home).state, ControlPlaneState));
  const shared = controlPlane === undefined ? [] : [controlPlane.port, controlPlane.modelPort];
  return new Set([...shared, ...jobs.flatMap((job) => Object.values(job?.ports ?? {}))]);
}

/** A damaged state names no ports. */
async function legible<State>(state: Promise<State>): Promise<State | undefined> {
  return state.catch((error: unknown) => {
    if (error instanceof DamagedError) return undefined;
    throw error;
  });
}
