// Secrets of a job: its own key, its token at the control plane, and the values of the variables it was deployed with.
// They lie in secrets.json (mode 0600) so that a restart does not depend on the shell it is typed in.
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import * as z from "zod";

import type { Plan } from "#jobs/plan-shape.ts";
import { substitute } from "#jobs/variables.ts";
import { mac } from "#shared/a2a/token.ts";

import { CliError } from "../../cli-error.ts";
import { readState, writeState } from "./state.ts";

/** The mode of files that hold secrets. */
export const PRIVATE = 0o600;

const JobSecrets = z.object({ key: z.string().min(32), variables: z.record(z.string(), z.string()) });
export type JobSecrets = z.infer<typeof JobSecrets>;

/** The job's secrets with current values of `names`; made at the first call. A variable not set now keeps its value. */
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

/** The job's secrets as stored; undefined before its first deployment. */
export async function readJobSecrets(path: string): Promise<JobSecrets | undefined> {
  return readState(path, JobSecrets);
}

/** The secret of the control plane, from which the jobs' tokens are derived; made at the first call. */
export async function controlPlaneSecret(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(path, randomBytes(32).toString("base64url"), { mode: PRIVATE, flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return (await readFile(path, "utf8")).trim();
}

/** The bearer token by which a job is known at the control plane. */
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
