// troupe cleanup: removes jobs that were stopped a while ago, with their sessions.
import { rm } from "node:fs/promises";

import { reasonOf } from "#shared/text/reason.ts";

import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { timeOf } from "../../terminal/flag-values.ts";
import { folderBytes } from "../../project/folder-size.ts";
import { type Io, printJson } from "../../terminal/io.ts";
import { troupeHome } from "../../project/project.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import { jobLayout } from "../../targets/local/state/layout.ts";
import type { JobState } from "../../targets/local/state/state.ts";

export default defineCommand({
  name: "cleanup",
  summary: "Remove jobs that no longer run, all or the named ones, with their sessions, logs and traces",
  usage: "[job …]",
  positionals: [0, 100],
  options: {
    "older-than": {
      type: "string",
      value: "TIME",
      description: "Only jobs that were stopped at least this long ago (default 7d)",
    },
    "dry-run": { type: "boolean", description: "Only show the jobs that would be removed" },
    json: JSON_OPTION,
  },
  examples: ["troupe cleanup --dry-run", "troupe cleanup --older-than 12h", "troupe cleanup my-job --older-than 0s"],

  async run({ positionals, options, io }) {
    const olderThan = options["older-than"] ?? "7d";
    const age = timeOf(olderThan, "--older-than");
    const home = troupeHome();
    const { changeJob } = await import("../../targets/local/state/change.ts");
    const { releaseControlPlane } = await import("../../targets/local/control-plane/control-plane.ts");
    const { requireDeployed } = await import("../../jobs/deployed-job.ts");
    const { DamagedError, deployedJobs, readJobState } = await import("../../targets/local/state/state.ts");
    const dryRun = options["dry-run"] === true;
    const before = Date.now() - age;
    const named = await Promise.all(positionals.map(requireDeployed));
    const jobs = named.length === 0 ? await deployedJobs(home) : [...new Set(named)];
    const removed: Removed[] = [];
    try {
      for (const job of jobs) {
        const { folder } = jobLayout(home, job);
        await changeJob(home, job, io, async () => {
          const state = await readJobState(home, job).catch((error: unknown) => {
            if (!(error instanceof DamagedError)) throw error;
            io.note(manyLines(`${job} is skipped: ${error.message}\n${error.next}`));
            return undefined;
          });
          if (state === undefined || !(await isOver(home, state, before))) return;
          removed.push({ job, folder, bytes: await folderBytes(folder) });
          if (dryRun) return;
          await pruneTraces(home, job, io);
          await rm(folder, { recursive: true, force: true });
        });
      }
      if (options.json === true) printJson(io, { dryRun, removed });
      else io.print(describe(removed, dryRun, olderThan));
    } finally {
      // pruneTraces leaves the control plane running, since it runs under the job's lock.
      if (!dryRun && removed.length > 0) await releaseControlPlane(home, "");
    }
  },
});

interface Removed {
  readonly job: string;
  readonly folder: string;
  readonly bytes: number;
}

function describe(removed: readonly Removed[], dryRun: boolean, olderThan: string): string {
  if (removed.length === 0) return `There is nothing to remove: no job was stopped ${olderThan} ago or longer.`;
  const verb = dryRun ? "Would remove" : "Removed";
  return removed
    .map(({ job, folder, bytes }) => `${verb} ${job}: ${folder} (${(bytes / 1e6).toFixed(1)} MB)`)
    .join("\n");
}

/** Deletes the job's traces; must run before its folder goes. Notes a store that cannot be reached. */
async function pruneTraces(home: string, job: string, io: Io): Promise<void> {
  const { withTraceStores } = await import("../../targets/local/control-plane/trace-stores.ts");
  try {
    await withTraceStores(home, [job], io, async ([store]) => store?.prune(new Date()));
  } catch (error) {
    if (io.signal.aborted) throw error;
    io.note(`The traces of ${job} are kept until they expire: ${manyLines(reasonOf(error))}`);
  }
}

/** Whether the job does not run, and was stopped (or deployed, if it died) before this moment. */
async function isOver(home: string, state: JobState, before: number): Promise<boolean> {
  const { isUp } = await import("../../targets/local/processes/processes.ts");
  const since = Date.parse(state.stoppedAt ?? state.deployedAt);
  return since <= before && !(await isUp(home, state.job));
}
