// What is known of deployments between two commands: one state.json a job and one for the control plane.
import { mkdir, open, readdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";

import * as z from "zod";

import { writeFileAtomically } from "../../atomic-file.ts";
import { CliError } from "../../cli-error.ts";
import { jobLayout, jobsFolder } from "./layout.ts";

export const JobState = z.object({
  job: z.string(),
  /** The job file, absolute, as deployed last. */
  file: z.string(),
  /** Folder under releases/ that runs, or ran last. */
  release: z.int().positive(),
  deployedAt: z.string(),
  /** When it was stopped on purpose; null while it should run. */
  stoppedAt: z.nullable(z.string()),
  /** Agent → port, kept over restarts. */
  ports: z.record(z.string(), z.int()),
  /** The folder of documents that was given at the last deployment, as typed. */
  corpus: z.optional(z.object({ folder: z.string(), label: z.string() })),
});
export type JobState = z.infer<typeof JobState>;

export const ControlPlaneState = z.object({
  port: z.int(),
  modelPort: z.int(),
  /** Hashes of the bundles it runs. */
  version: z.string(),
});
export type ControlPlaneState = z.infer<typeof ControlPlaneState>;

/** The stored value; undefined when nothing is stored. Throws CliError when it cannot be understood. */
export async function readState<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.infer<Schema> | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new CliError(
      "failed",
      `${path} is damaged: ${reason}`,
      "Remove this file and deploy again; sessions lie elsewhere.",
    );
  }
}

export async function writeState(path: string, state: unknown, mode?: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomically(path, serialize(state), mode);
}

/** Writes over what is stored, without new room on the disk. Only for a state that may be lost when the machine stops meanwhile. */
export async function overwriteState(path: string, state: unknown): Promise<void> {
  const handle = await open(path, "r+");
  try {
    const { bytesWritten } = await handle.write(serialize(state), 0);
    await handle.truncate(bytesWritten);
  } finally {
    await handle.close();
  }
}

function serialize(state: unknown): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}

/** State of one job; undefined when it was never deployed. */
export async function readJobState(home: string, job: string): Promise<JobState | undefined> {
  return readState(jobLayout(home, job).state, JobState);
}

/** Jobs that have a folder: beside the deployed ones those that are just being deployed for the first time, or could not be. */
export async function knownJobs(home: string): Promise<string[]> {
  let entries;
  try {
    entries = await readdir(jobsFolder(home), { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Jobs that have been deployed, running or not, by name. */
export async function deployedJobs(home: string): Promise<string[]> {
  const names = await knownJobs(home);
  const states = await Promise.all(names.map(async (name) => readJobState(home, name)));
  return names.filter((_, index) => states[index] !== undefined).toSorted();
}
