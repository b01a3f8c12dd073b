// Secrets of a job: its key, its token at the control plane, and the values of its variables. They are stored in
// secrets.json (mode 0600), so that a restart works from any shell.
import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";

import * as z from "zod";

import type { Plan } from "#jobs/plan/plan-shape.ts";
import { substitute } from "#jobs/schema/variables.ts";
import { mac, MIN_SECRET } from "#shared/a2a/token.ts";

import { writeFileAtomically } from "../../../project/atomic-file.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import { troupe } from "../../../terminal/hint.ts";
import type { Io } from "../../../terminal/io.ts";
import { readState, writeState } from "./state.ts";
import { hasCode } from "../../../terminal/system-error.ts";

/** The mode of files that hold secrets. */
export const PRIVATE = 0o600;

const JobSecrets = z.object({ key: z.string().min(MIN_SECRET), variables: z.record(z.string(), z.string()) });
export type JobSecrets = z.infer<typeof JobSecrets>;

/**
 * Stores the present values of the variables `names` and returns the job's secrets. A variable that is not set keeps
 * its value. Throws CliError where it has none.
 */
export async function updateJobSecrets(path: string, names: readonly string[]): Promise<JobSecrets> {
  const stored = await readState(path, JobSecrets);
  const variables: Record<string, string> = { ...stored?.variables };
  for (const name of names) {
    const value = process.env[name] || stored?.variables[name];
    if (value === undefined)
      throw new CliError("bad_input", `The variable ${name} is not set.`, `Set it: export ${name}=…`);
    variables[name] = value;
  }
  const secrets = { key: stored?.key ?? randomBytes(32).toString("base64url"), variables };
  await writeState(path, secrets, PRIVATE);
  return secrets;
}

/** The stored secrets of a job; undefined before its first deployment. */
export async function readJobSecrets(path: string): Promise<JobSecrets | undefined> {
  return readState(path, JobSecrets);
}

/** The control plane's secret, from which tokens of jobs derive; undefined where it is missing or too short. */
export async function controlPlaneSecret(path: string): Promise<string | undefined> {
  const stored = await readSecret(path);
  return stored !== undefined && stored.length >= MIN_SECRET ? stored : undefined;
}

/** The same; a missing secret is made, a damaged one is replaced with a note. The caller holds the control plane's lock. */
export async function ensureControlPlaneSecret(path: string, io: Io): Promise<string> {
  const stored = await readSecret(path);
  if (stored !== undefined && stored.length >= MIN_SECRET) return stored;
  if (stored !== undefined) {
    io.note(
      `${path} is damaged (${stored.length} characters instead of ${MIN_SECRET} or more), so a new secret was made. Other jobs that run need it: ${troupe`restart <job>`}`,
    );
  }
  const secret = randomBytes(32).toString("base64url");
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomically(path, secret, PRIVATE);
  return secret;
}

async function readSecret(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** The job's bearer token at the control plane. */
export function jobToken(controlPlane: string, job: string): string {
  return `${job}.${mac(controlPlane, `job:${job}`)}`;
}

/** Process variable → value, for every secret binding of the plan. */
export function secretValues(plan: Plan, secrets: JobSecrets, token: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const binding of plan.agents.flatMap((agent) => agent.bindings)) {
    if (binding.type !== "secret") continue;
    const { source } = binding;
    switch (source.from) {
      case "job-key":
        values[binding.variable] = secrets.key;
        break;
      case "job-token":
        values[binding.variable] = token;
        break;
      case "template":
        values[binding.variable] = substitute(source.template, secrets.variables);
        break;
    }
  }
  return values;
}
