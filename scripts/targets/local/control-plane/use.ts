// Uses the control plane of a `.troupe` folder, also while no job runs: it is started if needed, and stopped afterwards unless a job or
// another command uses it.
import { buildWorkers } from "../../../project/build.ts";
import { type Io, noteIfSlow } from "../../../terminal/io.ts";
import { type ControlPlane, ensureControlPlane, findControlPlane, releaseControlPlane } from "./control-plane.ts";
import { controlPlaneLayout } from "../state/layout.ts";
import { withLock } from "../state/lock.ts";
import { asReader } from "./readers.ts";

const PATIENCE_MS = 60_000;

/** Runs `work`, during which the control plane does not stop. */
export async function withControlPlane<Result>(
  home: string,
  io: Io,
  work: (controlPlane: ControlPlane) => Promise<Result>,
): Promise<Result> {
  try {
    return await asReader(home, async () => work(await ensureRunning(home, io)));
  } finally {
    await releaseControlPlane(home, "");
  }
}

async function ensureRunning(home: string, io: Io): Promise<ControlPlane> {
  // Under the lock, since a control plane that is being stopped is of no use.
  const { lock } = controlPlaneLayout(home);
  const found = await withLock(lock, { patienceMs: PATIENCE_MS, signal: io.signal }, async () =>
    findControlPlane(home),
  );
  if (found !== undefined) return found;
  const { bundles } = await noteIfSlow(io, "Building the Workers", async () => buildWorkers(home));
  return noteIfSlow(io, "Starting the control plane", async () => ensureControlPlane(home, bundles, io));
}
