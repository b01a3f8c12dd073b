// Gives Workers their addresses, through wrangler, and takes former ones away, for which it has no command.
import * as z from "zod";

import type { Route } from "#jobs/plan/cloudflare.ts";
import { COMPATIBILITY_DATE } from "../../local/processes/capnp.ts";
import type { Account } from "../account/account.ts";
import { call } from "../account/api.ts";
import { inConfigFolder } from "./config-folder.ts";
import { inParallel } from "./in-parallel.ts";
import { wrangler } from "./wrangler.ts";
import { type Addresses, changed, routesLost, routesOf } from "./addresses.ts";
import { domainAt, requireFree, requireNoRecords, routeAt } from "./zones.ts";

export interface AddressChange {
  /** What they have; a Worker that is left out has no address. */
  readonly from: readonly Addresses[];
  /** What they shall have. A Worker that is left out loses its domain or route alone. */
  readonly to: readonly Addresses[];
}

/** Throws CliError; some may have changed even then. May be repeated. */
export async function changeAddresses(
  account: Account,
  { from, to }: AddressChange,
  signal: AbortSignal,
): Promise<void> {
  const own = new Set([...from, ...to].map(({ script }) => script));
  await requireFree(account, changed(from, to), own, signal);
  // No Worker gets a route that another one still has.
  await inParallel(routesLost(from, to), async ({ script, route }) => take(account, script, route, signal));
  await inParallel(changed(from, to), async (addresses) => give(account, addresses, signal));
}

async function give(account: Account, addresses: Addresses, signal: AbortSignal): Promise<void> {
  await requireNoRecords(account, addresses, signal);
  const config = {
    name: addresses.script,
    compatibility_date: COMPATIBILITY_DATE,
    workers_dev: addresses.workersDev,
    preview_urls: false,
    routes: routesOf(addresses),
  };
  await inConfigFolder(config, async (folder) =>
    wrangler(["triggers", "deploy", "--config", "wrangler.json"], { account, folder, signal }),
  );
}

async function take(account: Account, script: string, { pattern, zone }: Route, signal: AbortSignal): Promise<void> {
  if (zone === undefined) {
    const domain = await domainAt(account, pattern, signal);
    if (domain?.service !== script) return;
    const path = `/accounts/${account.id}/workers/domains/${domain.id}`;
    await call(account.credentials, { method: "DELETE", path }, z.unknown(), signal);
  } else {
    const route = await routeAt(account, pattern, zone, signal);
    if (route?.script !== script) return;
    await call(account.credentials, { method: "DELETE", path: route.path }, z.unknown(), signal);
  }
}
