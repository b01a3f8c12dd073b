// Secrets of a job: its keys, its token at the control plane, and the values of its variables. They are stored in
// secrets.json (mode 0600), so that a restart works from any shell.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";

import * as z from "zod";

import type { PlannedAgent } from "#jobs/plan/plan-shape.ts";
import { substitute } from "#jobs/schema/variables.ts";
import { COMMAND_LINE } from "#shared/a2a/peer-token.ts";
import { MIN_SECRET } from "#shared/a2a/token.ts";
import { tokenFor } from "#shared/control-plane/token.ts";

import { writeFileAtomically } from "../../../project/atomic-file.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import { troupe } from "../../../terminal/hint.ts";
import type { Io } from "../../../terminal/io.ts";
import { readState, writeState } from "./state.ts";
import { hasCode } from "../../../terminal/system-error.ts";

/** The mode of files that hold secrets. */
export const PRIVATE = 0o600;

/** Private: PKCS #8. Public: the 32 bytes of RFC 8032. Both in base64url. */
const KeyPair = z.object({ private: z.string(), public: z.string() });

const JobSecrets = z.object({
  key: z.string().min(MIN_SECRET),
  variables: z.record(z.string(), z.string()),
  /** By agent, and of the command line. Absent before a deployment that makes them. */
  signing: z.record(z.string(), KeyPair).default({}),
  /** The secret of a control plane that is the job's alone: on a host. */
  controlPlane: z.optional(z.string().min(MIN_SECRET)),
});
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
  return store(path, { ...(stored ?? fresh()), variables });
}

/**
 * Agent → its public key, that of the command line included. Keys that are missing are made, and the stored ones kept, so that the release
 * before can run again.
 */
export async function ensureSigningKeys(path: string, agents: readonly string[]): Promise<Record<string, string>> {
  const secrets = (await readState(path, JobSecrets)) ?? fresh();
  const signing = { ...secrets.signing };
  const ids = [...agents, COMMAND_LINE];
  for (const id of ids) signing[id] ??= newKeyPair();
  await store(path, { ...secrets, signing });
  return Object.fromEntries(ids.map((id) => [id, signing[id]?.public ?? ""]));
}

/** The secret of the job's own control plane, which is made where it is missing. */
export async function ensureOwnControlPlaneSecret(path: string): Promise<string> {
  const secrets = (await readState(path, JobSecrets)) ?? fresh();
  const controlPlane = secrets.controlPlane ?? randomBytes(32).toString("base64url");
  await store(path, { ...secrets, controlPlane });
  return controlPlane;
}

async function store(path: string, secrets: JobSecrets): Promise<JobSecrets> {
  await mkdir(dirname(path), { recursive: true });
  await writeState(path, secrets, PRIVATE);
  return secrets;
}

function fresh(): JobSecrets {
  return { key: randomBytes(32).toString("base64url"), variables: {}, signing: {} };
}

function newKeyPair(): z.infer<typeof KeyPair> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    private: privateKey.export({ format: "der", type: "pkcs8" }).toString("base64url"),
    public: publicKey.export({ format: "jwk" }).x ?? "",
  };
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
  return tokenFor(controlPlane, job);
}

/**
 * Process variable → value, for every secret binding of these agents. `controlPlane` is its secret. Throws CliError for an agent without a
 * signing key.
 */
export function secretValues(
  agents: readonly Pick<PlannedAgent, "bindings">[],
  secrets: JobSecrets,
  { job, controlPlane }: { readonly job: string; readonly controlPlane: string },
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const binding of agents.flatMap((agent) => agent.bindings)) {
    if (binding.type !== "secret") continue;
    const { source } = binding;
    switch (source.from) {
      case "job-key":
        values[binding.variable] = secrets.key;
        break;
      case "job-token":
        values[binding.variable] = tokenFor(controlPlane, job);
        break;
      case "agent-token":
        values[binding.variable] = tokenFor(controlPlane, job, source.agent);
        break;
      case "agent-key":
        // Made and kept on its host.
        break;
      case "signing-key": {
        const pair = secrets.signing[source.agent];
        if (pair === undefined) throw lostKey(source.agent);
        values[binding.variable] = pair.private;
        break;
      }
      case "template":
        values[binding.variable] = substitute(source.template, secrets.variables);
        break;
    }
  }
  return values;
}

function lostKey(agent: string): CliError {
  return new CliError("failed", `The signing key of the agent ${agent} is missing.`, "Deploy the job again.");
}
