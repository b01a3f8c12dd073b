// Zones of the account, and what has their hosts already.
import * as z from "zod";

import type { Route } from "#jobs/plan/cloudflare.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { Account } from "../account/account.ts";
import { call, read } from "../account/api.ts";
import type { Addresses } from "./addresses.ts";

const Zones = z.array(z.object({ id: z.string(), name: z.string() }));
const Domains = z.array(z.object({ id: z.string(), hostname: z.string(), service: z.string() }));
const Routes = z.array(z.object({ id: z.string(), pattern: z.string(), script: z.optional(z.nullable(z.string())) }));
const Changeset = z.object({ conflicting: z.array(z.object({ hostname: z.string() })) });

/** The id of a zone; undefined where the account does not have it. */
async function zoneId(account: Account, name: string, signal: AbortSignal): Promise<string | undefined> {
  const query = new URLSearchParams({ name, "account.id": account.id });
  const zones = await read(account.credentials, `/zones?${query}`, Zones, signal);
  return zones?.find((zone) => zone.name === name)?.id;
}

/** The custom domain of this host; undefined where there is none. */
export async function domainAt(account: Account, hostname: string, signal: AbortSignal) {
  const path = `/accounts/${account.id}/workers/domains?${new URLSearchParams({ hostname })}`;
  const domains = await read(account.credentials, path, Domains, signal);
  return domains?.find((domain) => domain.hostname === hostname);
}

/** The route of this pattern, and its path in the API; undefined where there is none. */
export async function routeAt(account: Account, pattern: string, zone: string, signal: AbortSignal) {
  const id = await zoneId(account, zone, signal);
  if (id === undefined) return undefined;
  const path = `/zones/${id}/workers/routes`;
  const found = (await read(account.credentials, path, Routes, signal))?.find((route) => route.pattern === pattern);
  return found && { script: found.script ?? "", path: `${path}/${found.id}` };
}

/** Throws CliError where the account lacks the zone of a new address, or something else has it. `own`: the job's Workers. */
export async function requireFree(
  account: Account,
  wanted: readonly Addresses[],
  own: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const findings = await Promise.all(wanted.map(async ({ route }) => route && obstacle(account, route, own, signal)));
  const all = findings.filter((finding) => finding !== undefined);
  if (all.length > 0) throw new CliError("bad_input", all.join("\n"), "Change the addresses in the job file.");
}

async function obstacle(
  account: Account,
  { pattern, zone }: Route,
  own: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string | undefined> {
  // A domain names no zone: any ending of its host may be one.
  const names = zone === undefined ? endingsOf(pattern) : [zone];
  const ids = await Promise.all(names.map(async (name) => zoneId(account, name, signal)));
  if (ids.every((id) => id === undefined)) {
    const which = zone === undefined ? `zone that holds ${pattern}` : `zone ${zone}`;
    return `The Cloudflare account ${account.id} has no ${which}, or this token does not see it.`;
  }
  const owner =
    zone === undefined
      ? (await domainAt(account, pattern, signal))?.service
      : (await routeAt(account, pattern, zone, signal))?.script;
  if (owner === undefined || own.has(owner)) return undefined;
  return `${pattern} leads to ${owner === "" ? "no Worker, on purpose" : `the Worker ${owner}, which is not of this job`}.`;
}

/** Throws CliError where the DNS of a zone has records for these hosts: wrangler would replace them unasked. */
export async function requireNoRecords(
  account: Account,
  { script, route }: Addresses,
  signal: AbortSignal,
): Promise<void> {
  if (route === undefined || route.zone !== undefined) return;
  const path = `/accounts/${account.id}/workers/scripts/${script}/domains/changeset?replace_state=true`;
  const body = [{ hostname: route.pattern }];
  const changeset = await call(account.credentials, { method: "POST", path, body }, Changeset, signal);
  const taken = changeset?.conflicting.map(({ hostname }) => hostname) ?? [];
  if (taken.length === 0) return;
  throw new CliError(
    "bad_input",
    `${taken.join(", ")} has DNS records already, which lead elsewhere.`,
    "Delete them in the zone's DNS first, or use a route, which needs a record.",
  );
}

/** `a.b.example.com` → itself, `b.example.com`, `example.com`. */
function endingsOf(host: string): string[] {
  const parts = host.split(".");
  return parts.slice(0, -1).map((_, index) => parts.slice(index).join("."));
}
