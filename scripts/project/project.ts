// Paths of the project, its Workers and jobs, and the folder of deployment state.
import { readdir } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";

export const PROJECT = resolve(import.meta.dirname, "../..");
export const JOBS_FOLDER = join(PROJECT, "jobs");
const AGENTS_FOLDER = join(PROJECT, "workers", "agents");

/** The folder of deployment state, absolute: TROUPE_HOME, else `.troupe` in the project. */
export function troupeHome(): string {
  const named = process.env["TROUPE_HOME"];
  return named === undefined || named === "" ? join(PROJECT, ".troupe") : resolve(named);
}

/** Names of the folders under workers/agents, sorted. */
export async function workerNames(): Promise<string[]> {
  const entries = await readdir(AGENTS_FOLDER, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}

/** A path as a person in the working directory would type it. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short.split(sep).join("/");
}
