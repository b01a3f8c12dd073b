// The release of a job that is deployed, to compare a plan with.
import type { Version } from "#jobs/plan/changes.ts";

import { jobLayout } from "../targets/local/state/layout.ts";
import { readRelease, releaseCode } from "../targets/local/state/release.ts";
import { type JobState, readJobState } from "../targets/local/state/state.ts";

export interface DeployedVersion extends Version {
  readonly state: JobState;
}

/** Undefined for a job that was never deployed. Throws CliError where its files are damaged. */
export async function deployedVersion(home: string, job: string): Promise<DeployedVersion | undefined> {
  const state = await readJobState(home, job);
  if (state === undefined) return undefined;
  const layout = jobLayout(home, job);
  const plan = await readRelease(layout, state.release);
  const workers = plan.agents.map(({ worker }) => worker);
  return { state, plan, code: await releaseCode(layout, state.release, workers) };
}
