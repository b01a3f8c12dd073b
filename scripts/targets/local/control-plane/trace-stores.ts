// Access to the trace store of a `.troupe` folder.
import type { Io } from "../../../terminal/io.ts";
import { TraceStore } from "../../../traces/store/store.ts";
import { jobToken } from "../state/secrets.ts";
import { withControlPlane } from "./use.ts";

/** Runs `work` with the trace store of each job, in their order. */
export async function withTraceStores<Result>(
  home: string,
  jobs: readonly string[],
  io: Io,
  work: (stores: readonly TraceStore[]) => Promise<Result>,
): Promise<Result> {
  return withControlPlane(home, io, async ({ url, secret }) =>
    work(jobs.map((job) => new TraceStore({ job, url, token: jobToken(secret, job), signal: io.signal }))),
  );
}
