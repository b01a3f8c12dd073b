// troupe cleanup: removes what is left of jobs that were stopped a while ago, their sessions included.
import { rm } from "node:fs/promises";

import { durationMs } from "#jobs/duration.ts";

import { CliError } from "../cli-error.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { folderBytes } from "../folder-size.ts";
import { type Io, printJson } from "../io.ts";
import { troupeHome } from "../project.ts";
import { changeJob } from "../targets/local/change.ts";
import { jobLayout } from "../targets/local/layout.ts";
import { withTraceStores } from "../targets/local/trace-stores.ts";
import { deployedJobs, type JobState, readJobState, runningProcesses } from "../targets/local/state.ts";

export default defineCommand({
  name: "cleanup",
  summary: "Remove jobs that do not run any more, with their sessions, logs and traces",
  usage: "",
  positionals: [0, 0],
  options: {
    "older-than": { type: "string", value: "TIME", description: "Only what was stopped this long ago (default 7d)" },
    "dry-run": { type: "boolean", description: "Only show what would be removed" },
    json: JSON_OPTION,
  },
  examples: ["troupe cleanup --dry-run", "troupe cleanup --older-than 12h"],

  async run({ options, io }) {
    const age = durationMs(options["older-than"] ?? "7d");
    if (age === undefined) {
      throw new CliError(
        "bad_input",
        `--older-than takes a number and a unit, such as 12h or 7d, not "${options["older-than"] ?? ""}".`,
      );
    }
    const home = troupeHome();
    const dryRun = options["dry-run"] === true;
    const before = Date.now() - age;
    const removed: { readonly job: string; readonly folder: string; readonly bytes: number }[] = [];
    for (const job of await deployedJobs(home)) {
      const { folder } = jobLayout(home, job);
      await changeJob(home, job, io, async () => {
        const state = await readJobState(home, job);
        if (state === undefined || !(await isOver(state, before))) return;
        removed.push({ job, folder, bytes: await folderBytes(folder) });
        if (!dryRun) await rm(folder, { recursive: true, force: true });
      });
    }
    const jobs = dryRun ? [] : removed.map(({ job }) => job);
    await pruneTraces(home, jobs, io);
    if (options.json === true) return printJson(io, { dryRun, removed });
    for (const { job, folder, bytes } of removed) {
      io.print(`${dryRun ? "Would remove" : "Removed"} ${job}: ${folder} (${(bytes / 1e6).toFixed(1)} MB)`);
    }
    if (removed.length === 0) io.print("There is nothing to remove.");
  },
});

async function pruneTraces(home: string, jobs: readonly string[], io: Io): Promise<void> {
  if (jobs.length === 0) return;
  await withTraceStores(home, jobs, io, async (stores) => {
    for (const store of stores) await store.prune(new Date());
  });
}

/** Stopped, or found dead, before this moment. */
async function isOver(state: JobState, before: number): Promise<boolean> {
  const since = Date.parse(state.stoppedAt ?? state.deployedAt);
  return since <= before && (await runningProcesses(state)).length === 0;
}
