// The releases of a job: when each began to run, where, and what it changed.
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { troupe } from "../terminal/hint.ts";
import { table } from "../terminal/io.ts";
import { troupeHome } from "../project/project.ts";
import { jobLayout } from "../targets/local/state/layout.ts";
import { readRelease, releaseHistory } from "../targets/local/state/release.ts";
import { readJobState } from "../targets/local/state/state.ts";
import { when } from "../traces/amounts.ts";

export interface ReleaseEntry {
  readonly release: number;
  /** ISO 8601; null for a release that never ran. */
  readonly since: string | null;
  readonly state: "current" | "former" | "failed";
  /** Of the job file; null where the release cannot be read. */
  readonly version: string | null;
  readonly places: readonly string[];
  readonly agents: readonly string[];
}

/** The newest first. Throws CliError where the state cannot be read. */
export async function readHistory(job: string): Promise<ReleaseEntry[]> {
  const home = troupeHome();
  const [layout, state] = [jobLayout(home, job), await readJobState(home, job)];
  const all = (await releaseHistory(layout)).map(async ({ number, keptAt }): Promise<ReleaseEntry> => {
    const plan: Plan | undefined = await readRelease(layout, number).catch(() => undefined);
    const isCurrent = number === state?.release;
    return {
      release: number,
      since: isCurrent ? (keptAt ?? state.deployedAt) : keptAt,
      state: isCurrent ? "current" : keptAt === null ? "failed" : "former",
      version: plan?.version ?? null,
      places: plan?.places.map(({ id }) => id) ?? [],
      agents: plan?.agents.map(({ id }) => id) ?? [],
    };
  });
  return Promise.all(all);
}

export function describeHistory(job: string, history: readonly ReleaseEntry[], now: Date): string {
  const rows = history.map(({ release, since, state, version, places, agents }) => [
    String(release),
    state,
    since === null ? "never ran" : when(Date.parse(since), now.getTime()),
    version ?? "?",
    places.join(", "),
    `${agents.length} agents`,
  ]);
  const former = history.find(({ state }) => state === "former");
  const lines = [table([["RELEASE", "STATE", "SINCE", "VERSION", "PLACES", "AGENTS"], ...rows])];
  if (former !== undefined) lines.push(`Return to one: ${troupe`rollback ${job} --to ${String(former.release)}`}`);
  return lines.join("\n");
}
