// troupe cleanup: removes jobs that were stopped a while ago, with their sessions.
import { rm } from "node:fs/promises";

import { reasonOf } from "#shared/text/reason.ts";

import { CliError } from "../../terminal/cli-error.ts";
import { defineCommand, JSON_OPTION } from "../../terminal/command.ts";
import { timeOf } from "../../terminal/flag-values.ts";
import { folderBytes } from "../../project/folder-size.ts";
import { type Io, printJson } from "../../terminal/io.ts";
import { troupeHome } from "../../project/project.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import type { Place } from "#jobs/placement/place.ts";
import { type JobLayout, jobLayout } from "../../targets/local/state/layout.ts";
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
    all: {
      type: "boolean",
      description: "On hosts without any other job also workerd and modules, which are kept for later",
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
    const { removeFromHosts } = await import("../../targets/hosts/cleanup.ts");
    const { removeFromCloudflare } = await import("../../targets/cloudflare/remove.ts");
    const { endTunnels } = await import("../../targets/hosts/tunnels/holder.ts");
    const { DamagedError, deployedJobs, readJobState, writeState } = await import("../../targets/local/state/state.ts");
    const dryRun = options["dry-run"] === true;
    const before = Date.now() - age;
    const named = await Promise.all(positionals.map(requireDeployed));
    const jobs = named.length === 0 ? await deployedJobs(home) : [...new Set(named)];
    const removed: Removed[] = [];
    const caches = options.all === true;
    let failures = 0;
    try {
      for (const job of jobs) {
        const { folder } = jobLayout(home, job);
        await changeJob(home, job, io, async () => {
          const state = await readJobState(home, job).catch((error: unknown) => {
            if (!(error instanceof DamagedError)) throw error;
            io.note(manyLines(`${job} is skipped: ${error.message}\n${error.next}`));
            return undefined;
          });
          if (state === undefined) return;
          if (await isOver(home, state, before)) {
            const places = await hostsOf(home, state);
            removed.push({ job, folder, bytes: await folderBytes(folder), places: places.map(({ id }) => id) });
            if (dryRun) return;
            await endTunnels(job);
            const away = await removeFromHosts(job, places, { caches, io });
            // Only this folder knows where the rest is.
            if (away.length > 0) return void (failures += 1);
            for (const there of [state.cloudflare, state.leftCloudflare])
              if (there !== undefined && !(await removeFromCloudflare(job, there, io))) return void (failures += 1);
            if (state.hosts === undefined && state.cloudflare === undefined) await pruneTraces(home, job, io);
            await rm(folder, { recursive: true, force: true });
          } else if (state.left !== undefined && Date.parse(state.deployedAt) <= before) {
            const { left } = state;
            removed.push({ job, folder: null, bytes: 0, places: left.map(({ id }) => id) });
            if (dryRun) return;
            const hosts = left.filter(({ kind }) => kind === "ssh");
            const away = await removeFromHosts(job, hosts, { caches, io });
            if (left.some(({ kind }) => kind === "local")) await removeData(jobLayout(home, job));
            const { left: _, leftCloudflare: there, ...rest } = state;
            const isGone = there === undefined || (await removeFromCloudflare(job, there, io));
            const stays = [...away, ...(isGone ? [] : left.filter(({ kind }) => kind === "cloudflare"))];
            await writeState(jobLayout(home, job).state, {
              ...rest,
              ...(stays.length === 0 ? {} : { left: stays }),
              ...(isGone ? {} : { leftCloudflare: there }),
            });
            failures += stays.length;
          }
        });
      }
      if (options.json === true) printJson(io, { dryRun, removed });
      else io.print(describe(removed, dryRun, olderThan));
      if (failures > 0)
        throw new CliError("failed", "Some of it is not removed.", "Run the command again when the hosts answer.");
    } finally {
      // pruneTraces leaves the control plane running, since it runs under the job's lock.
      if (!dryRun && removed.length > 0) await releaseControlPlane(home, "");
    }
  },
});

interface Removed {
  readonly job: string;
  /** Null where only data at places that the job has left are removed. */
  readonly folder: string | null;
  readonly bytes: number;
  /** Other places that hold something of it. */
  readonly places: readonly string[];
}

function describe(removed: readonly Removed[], dryRun: boolean, olderThan: string): string {
  if (removed.length === 0) return `There is nothing to remove: no job was stopped ${olderThan} ago or longer.`;
  const verb = dryRun ? "Would remove" : "Removed";
  return removed
    .map(({ job, folder, bytes, places }) => {
      const here = folder === null ? [] : [`${folder} (${(bytes / 1e6).toFixed(1)} MB)`];
      const there = places.length === 0 ? [] : [`what it has on ${places.join(", ")}`];
      return `${verb} ${job}: ${[...here, ...there].join(", ")}`;
    })
    .join("\n");
}

/** The hosts that hold something of the job. */
async function hostsOf(home: string, { job, release, hosts, left = [] }: JobState): Promise<Place[]> {
  const { readRelease } = await import("../../targets/local/state/release.ts");
  const now = hosts === undefined ? [] : (await readRelease(jobLayout(home, job), release)).places;
  return [...now, ...left].filter(({ kind }) => kind === "ssh");
}

async function removeData({ data, snapshots }: JobLayout): Promise<void> {
  for (const folder of [data, snapshots]) await rm(folder, { recursive: true, force: true });
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
  // Whether it runs elsewhere was never asked.
  if ((state.hosts !== undefined || state.cloudflare !== undefined) && state.stoppedAt === null) return false;
  const { isUp } = await import("../../targets/local/processes/processes.ts");
  const since = Date.parse(state.stoppedAt ?? state.deployedAt);
  return since <= before && !(await isUp(home, state.job));
}
