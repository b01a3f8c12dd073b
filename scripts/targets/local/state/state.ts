// The state of deployments between two commands: a state.json for each job and one for the control plane.
import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

import * as z from "zod";

import { Place } from "#jobs/placement/place.ts";

import { writeFileAtomically } from "../../../project/atomic-file.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { Io } from "../../../terminal/io.ts";
import { jobLayout, jobsFolder } from "./layout.ts";
import { hasCode } from "../../../terminal/system-error.ts";

/** A change of a Worker's classes of Durable Objects. */
const ObjectStep = z.object({ added: z.array(z.string()), deleted: z.array(z.string()) });
export type ObjectStep = z.infer<typeof ObjectStep>;

/** A Worker on Cloudflare. */
export const Uploaded = z.object({
  script: z.string(),
  /** The id of its version. */
  version: z.string(),
  /** Of all that was uploaded, secrets included: a hash that tells nothing of them. */
  print: z.string(),
  steps: z.array(ObjectStep),
});
export type Uploaded = z.infer<typeof Uploaded>;

const OnCloudflare = z.object({
  account: z.string(),
  namespace: z.string(),
  subdomain: z.string(),
  /** Agent → what its Worker runs. */
  workers: z.record(z.string(), Uploaded),
  /** The same of agents that the job no longer has. Their Workers stay, with their sessions, until the job is removed. */
  retired: z.record(z.string(), Uploaded).default({}),
});
export type OnCloudflare = z.infer<typeof OnCloudflare>;

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
  /** What a job on hosts listens on there, beside its agents' ports. Absent for a job of this machine. */
  hosts: z.optional(
    z.object({
      controlPlanePort: z.int(),
      /** Agent, or the control plane → the port that other machines ask. */
      tlsPorts: z.record(z.string(), z.int()),
      /** Of what runs there; see release/cargo.ts. */
      fingerprint: z.optional(z.string()),
    }),
  ),
  /** Absent for a job that is not on Cloudflare. */
  cloudflare: z.optional(OnCloudflare),
  /** What it was there before it left; its Workers have no address, and keep their sessions. */
  leftCloudflare: z.optional(OnCloudflare),
  /** Places where it ran before and where its data still lie. */
  left: z.optional(z.array(Place)),
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

/** A state file cannot be read. */
export class DamagedError extends CliError {}

/** The stored value; undefined without a file. Throws DamagedError when the file does not fit the schema. */
export async function readState<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.infer<Schema> | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new DamagedError(
      "failed",
      `${path} is damaged: ${reason}`,
      "Remove this file and deploy again; sessions are kept.",
    );
  }
}

/** The same; a damaged file is set aside with a note, and counts as missing. */
export async function readOrSetAside<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  io: Io,
): Promise<z.infer<Schema> | undefined> {
  try {
    return await readState(path, schema);
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
    await rename(path, aside);
    io.note(`${error.message.split("\n", 1)[0] ?? ""}\nIt was set aside as ${aside} and is made again.`);
    return undefined;
  }
}

export async function writeState(path: string, state: unknown, mode?: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomically(path, serialize(state), mode);
}

/** Overwrites the stored value, which works on a full disk. The file is lost if the machine stops meanwhile. */
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

/** Names of jobs that have a folder: deployed ones, and those whose first deployment is under way or failed. */
export async function knownJobs(home: string): Promise<string[]> {
  let entries;
  try {
    entries = await readdir(jobsFolder(home), { withFileTypes: true });
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Names of deployed jobs in their order, running or not; also those whose state is damaged. */
export async function deployedJobs(home: string): Promise<string[]> {
  const names = await knownJobs(home);
  return names.filter((name) => existsSync(jobLayout(home, name).state)).toSorted();
}
