// Access to the trace store of a `.troupe` folder, also while no job runs: the control plane is started for the reader
// if needed, and stopped afterwards unless a job or another reader uses it.
import { buildWorkers } from "../../../project/build.ts";
import { type Io, noteIfSlow } from "../../../terminal/io.ts";
import { TraceStore } from "../../../traces/store/store.ts";
import { type ControlPlane, ensureControlPlane, findControlPlane, releaseControlPlane } from "./control-plane.ts";
import { controlPlaneLayout } from "../state/layout.ts";
import { withLock } from "../state/lock.ts";
import { asReader } from "./readers.ts";
import { jobToken } from "../state/secrets.ts";

const PATIENCE_MS = 60_000;

/** Runs `work` with the trace store of each job, in their order. */
export async function withTraceStores<Result>(
  home: string,
  jobs: readonly string[],
  io: Io,
  work: (stores: readonly TraceStore[]) => Promise<Result>,
): Promise<Result> {
  try {
    return await asReader(home, async () => {
      const { url, secret } = await ensureRunning(home, io);
      return work(jobs.map((job) => new TraceStore({ job, url, token: jobToken(secret, job), signal: io.signal })));
    });
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
