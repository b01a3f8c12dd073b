// The Cloudflare account that takes a job's Workers.
import * as z from "zod";

import type { CloudflareFacts } from "#jobs/plan/cloudflare.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import { type Credentials, credentialsFrom, read } from "./api.ts";

export interface Account extends CloudflareFacts {
  readonly id: string;
  readonly credentials: Credentials;
}

export const DEFAULT_NAMESPACE = "troupe";
const Accounts = z.array(z.object({ id: z.string(), name: z.string() }));
const Subdomain = z.object({ subdomain: z.nullable(z.string()) });

/** The account that the environment names, or the only one of the token. Throws CliError without one that can serve Workers. */
export async function findAccount(
  environment: NodeJS.ProcessEnv,
  namespace: string,
  signal: AbortSignal,
): Promise<Account> {
  const credentials = credentialsFrom(environment);
  const id = await accountId(credentials, environment, signal);
  const found = await read(credentials, `/accounts/${id}/workers/subdomain`, Subdomain, signal);
  const subdomain = found?.subdomain ?? null;
  if (subdomain === null) {
    throw new CliError(
      "bad_input",
      `The Cloudflare account ${id} has no workers.dev subdomain, or this token does not see the account.`,
      "Choose a subdomain: https://dash.cloudflare.com, Workers & Pages; and see CLOUDFLARE_ACCOUNT_ID.",
    );
  }
  return { id, credentials, namespace, subdomain };
}

/** The account of a deployed job. Throws CliError where the environment names another. */
export async function sameAccount(
  deployed: { readonly account: string; readonly namespace: string; readonly subdomain: string },
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Account> {
  const account = await findAccount(
    { CLOUDFLARE_ACCOUNT_ID: deployed.account, ...environment },
    deployed.namespace,
    signal,
  );
  if (account.id === deployed.account) return account;
  throw new CliError(
    "bad_input",
    `The job is in the account ${deployed.account}, but CLOUDFLARE_ACCOUNT_ID names ${account.id}.`,
    `Set it: export CLOUDFLARE_ACCOUNT_ID=${deployed.account}`,
  );
}

async function accountId(
  credentials: Credentials,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string> {
  const named = (environment["CLOUDFLARE_ACCOUNT_ID"] ?? "").trim();
  if (/^[0-9a-f]{32}$/.test(named)) return named;
  if (named !== "") {
    throw new CliError(
      "bad_input",
      "CLOUDFLARE_ACCOUNT_ID is not the id of an account.",
      "It has 32 digits of 0-9 and a-f: see https://dash.cloudflare.com, Workers & Pages.",
    );
  }
  const accounts = (await read(credentials, "/accounts", Accounts, signal)) ?? [];
  const [only, ...others] = accounts;
  if (only !== undefined && others.length === 0) return only.id;
  const all = accounts.map(({ id: each, name }) => `${name} (${each})`).join(", ");
  throw new CliError(
    "bad_input",
    accounts.length === 0
      ? "CLOUDFLARE_API_TOKEN sees no account."
      : `CLOUDFLARE_API_TOKEN sees ${accounts.length} accounts: ${all}.`,
    "Name one: export CLOUDFLARE_ACCOUNT_ID=…",
  );
}
