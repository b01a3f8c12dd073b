// Loads the job that a user named: finds its file, reads it, and finds every mistake in it.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { type LoadedJob, loadJob, type LoadResult } from "#jobs/load.ts";
import { suggest } from "#shared/text/nearest.ts";
import type { PlacementChoice } from "#jobs/placement/place-agents.ts";
import { CliError, mistakesError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import { missingExports } from "../inspection/missing-exports.ts";
import { anthropicUrl } from "../project/plan-environment.ts";
import { JOBS_FOLDER, shown, troupeHome, workerNames } from "../project/project.ts";
import { deployedJobs, readJobState } from "../targets/local/state/state.ts";
import { readText } from "./read-text.ts";

export interface JobFile extends LoadedJob {
  /** Absolute. */
  readonly path: string;
}

/** Job files in jobs/ and its subfolders: name without `.yaml` → path. */
export async function jobFiles(): Promise<Map<string, string>> {
  const files = (await readdir(JOBS_FOLDER, { recursive: true })).filter((file) => isYaml(file)).toSorted();
  return new Map(files.map((file) => [nameOf(file), join(JOBS_FOLDER, file)]));
}

/** Loads the job that `wanted` names, a name or a path. Throws CliError with all mistakes in it. */
export async function loadJobFile(wanted: string, placement?: PlacementChoice): Promise<JobFile> {
  const path = await findJobFile(wanted);
  const result = await tryLoad(path, placement);
  if ("mistakes" in result) throw mistakesError(result.mistakes);
  // Fails before the build does.
  anthropicUrl();
  return { ...result, path };
}

/** The job in a file, or its mistakes; without a known placement, those of places are left out. Throws CliError when the file cannot be opened. */
export async function tryLoad(path: string, placement?: PlacementChoice | "unknown"): Promise<LoadResult> {
  const read = await readText(path, "job file");
  if ("mistakes" in read) return read;
  const set = Object.entries(process.env).filter(([, value]) => value !== undefined && value !== "");
  const variables = new Set(set.map(([name]) => name));
  const workers = await workerNames();
  const loaded = loadJob(read.text, shown(path), { workers, variables, placement });
  const [known, mistakes] = "mistakes" in loaded ? [loaded.partial, loaded.mistakes] : [loaded, []];
  const missing = known === undefined ? [] : await missingExports(known.job, workers);
  return missing.length === 0 ? loaded : { mistakes: [...mistakes, ...missing], partial: known };
}

/**
 * The absolute path of a job file: `wanted` is a path, the name of a file in jobs/, or the name of a deployed job.
 * Throws CliError for an unknown name.
 */
export async function findJobFile(wanted: string): Promise<string> {
  if (isYaml(wanted)) return resolve(wanted);
  const files = await jobFiles();
  const path = files.get(wanted);
  if (path !== undefined) return path;
  const state = (await deployedJobs(troupeHome())).includes(wanted)
    ? await readJobState(troupeHome(), wanted)
    : undefined;
  if (state !== undefined) {
    if (existsSync(state.file)) return state.file;
    throw new CliError(
      "bad_input",
      `The job "${wanted}" was deployed from ${shown(state.file)}, which is gone.`,
      `Start what was deployed: ${troupe`restart ${wanted}`}`,
    );
  }
  throw new CliError(
    "bad_input",
    `There is no job "${wanted}" in jobs/. ${suggest(wanted, files.keys())}`,
    `Run: ${troupe`list`}`,
  );
}

/** Whether the user typed a path, not a name. */
export function isYaml(path: string): boolean {
  return [".yaml", ".yml"].includes(extname(path).toLowerCase());
}

function nameOf(file: string): string {
  const base = file.split(/[\\/]/).at(-1) ?? file;
  return base.slice(0, -extname(base).length);
}
