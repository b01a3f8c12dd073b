// What runs of a Worker in the account.
import * as z from "zod";

import type { Account } from "./account.ts";
import { read } from "./api.ts";

/** The variable of a Worker that names whose it is: namespace, job and agent. */
export const OWNER = "TROUPE_OWNER";

const Settings = z.object({
  bindings: z.array(z.looseObject({ name: z.string(), type: z.string(), text: z.optional(z.string()) })).default([]),
});
const Deployments = z.object({
  deployments: z.array(
    z.object({
      id: z.string(),
      versions: z.array(z.object({ version_id: z.string(), percentage: z.number() })),
    }),
  ),
});

export interface DeployedWorker {
  /** The version with the greatest share of requests. */
  readonly version: string;
  /** Whose it is; undefined where Troupe did not make it. */
  readonly owner: string | undefined;
}

/** Undefined where the account has no such Worker. */
export async function deployedWorker(
  account: Account,
  script: string,
  signal: AbortSignal,
): Promise<DeployedWorker | undefined> {
  const path = `/accounts/${account.id}/workers/scripts/${script}`;
  const [settings, history] = await Promise.all([
    read(account.credentials, `${path}/settings`, Settings, signal),
    read(account.credentials, `${path}/deployments`, Deployments, signal),
  ]);
  // The newest is first.
  const [now] = history?.deployments ?? [];
  if (settings === undefined || now === undefined) return undefined;
  const [most] = now.versions.toSorted((one, other) => other.percentage - one.percentage);
  const owner = settings.bindings.find(({ name }) => name === OWNER)?.text;
  return { version: most?.version_id ?? "", owner };
}
