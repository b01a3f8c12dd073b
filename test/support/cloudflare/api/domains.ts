// Names of Workers on the internet besides those of workers.dev: custom domains in the account's zone.
import * as z from "zod";

import { type Account, type Domain, newId } from "../account/account.ts";
import { ApiError, badRequest } from "../account/api-error.ts";
import { type ApiCall, json, Listed, nameOf, route } from "./route.ts";

const DOMAINS = "/accounts/:account/workers/domains";
const OF_SCRIPT = "/accounts/:account/workers/scripts/:name/domains";

const NewDomain = z.object({ hostname: z.string(), service: z.string() });
const Origins = z.array(z.object({ hostname: z.string() }));

const byHostname = (account: Account, hostname: string) =>
  account.domains.find((domain) => domain.hostname === hostname);

function setDomain(account: Account, hostname: string, service: string): Domain {
  const { id: zoneId, name: zoneName } = account.zone;
  if (hostname !== zoneName && !hostname.endsWith(`.${zoneName}`)) {
    throw badRequest(`No zone of the account holds ${hostname}.`);
  }
  const id = byHostname(account, hostname)?.id ?? newId();
  const domain = { id, hostname, service, zone_id: zoneId, zone_name: zoneName };
  removeDomain(account, id);
  account.domains.push(domain);
  return domain;
}

function removeDomain(account: Account, id: string): void {
  const at = account.domains.findIndex((domain) => domain.id === id);
  if (at !== -1) account.domains.splice(at, 1);
}

function domainOf({ account, params }: ApiCall): Domain {
  const found = account.domains.find(({ id }) => id === params["domain"]);
  if (found === undefined) throw new ApiError(404, 100_114, "The custom domain does not exist.");
  return found;
}

export const DOMAIN_ROUTES = [
  route("GET /zones", ({ account, query }) => {
    const { zone } = account;
    return new Listed((query.get("name") ?? zone.name) === zone.name ? [{ ...zone, account: { id: account.id } }] : []);
  }),
  route(`GET ${DOMAINS}`, ({ account, query }) => {
    const asked = ["hostname", "service", "zone_id", "zone_name"] as const;
    return new Listed(
      account.domains.filter((domain) => asked.every((key) => (query.get(key) ?? domain[key]) === domain[key])),
    );
  }),
  route(`PUT ${DOMAINS}`, (call) => {
    const { hostname, service } = json(NewDomain, call);
    return setDomain(call.account, hostname, call.account.service(service).name);
  }),
  route(`GET ${DOMAINS}/:domain`, domainOf),
  route(`DELETE ${DOMAINS}/:domain`, (call) => {
    removeDomain(call.account, domainOf(call).id);
    return null;
  }),
  // The two calls of `wrangler deploy` with a custom domain: what would change, and the change.
  route(`POST ${OF_SCRIPT}/changeset`, (call) => {
    const origins = json(Origins, call);
    const name = nameOf(call);
    const hostnames = origins.map(({ hostname }) => hostname);
    return {
      added: origins.filter(({ hostname }) => byHostname(call.account, hostname) === undefined),
      updated: call.account.domains
        .filter(({ hostname }) => hostnames.includes(hostname))
        .map((domain) => ({ ...domain, modified: domain.service !== name })),
      removed: call.account.domains.filter(
        ({ service, hostname }) => service === name && !hostnames.includes(hostname),
      ),
      conflicting: [],
    };
  }),
  route(`PUT ${OF_SCRIPT}/records`, (call) => {
    const { origins } = json(z.object({ origins: Origins }), call);
    const worker = call.account.worker(nameOf(call));
    return origins.map(({ hostname }) => setDomain(call.account, hostname, worker.name));
  }),
];
