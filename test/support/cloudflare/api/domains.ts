// Addresses of Workers besides those of workers.dev: custom domains in the account's zone, and routes.
import * as z from "zod";

import { type Account, type Domain, newId, type ZoneRoute } from "../account/account.ts";
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

const NewRoute = z.object({ pattern: z.string() });
const ROUTES = "/zones/:zone/workers/routes";

function addRoute(account: Account, pattern: string, script: string): ZoneRoute {
  const other = account.routes.find((route) => route.pattern === pattern);
  if (other !== undefined && other.script !== script)
    throw new ApiError(409, 10_020, `A route with the same pattern already exists.`);
  const made = other ?? { id: newId(), pattern, script };
  if (other === undefined) account.routes.push(made);
  return made;
}

function removeRoutes({ routes }: Account, isGone: (route: ZoneRoute) => boolean): void {
  for (let at = routes.length - 1; at >= 0; at--) {
    const route = routes[at];
    if (route !== undefined && isGone(route)) routes.splice(at, 1);
  }
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
      conflicting: origins.filter(({ hostname }) => call.account.records.has(hostname)),
    };
  }),
  route(`PUT ${OF_SCRIPT}/records`, (call) => {
    const { origins } = json(z.object({ origins: Origins }), call);
    const worker = call.account.worker(nameOf(call));
    return origins.map(({ hostname }) => setDomain(call.account, hostname, worker.name));
  }),
  route("PUT /accounts/:account/workers/scripts/:name/routes", (call) => {
    const { account } = call;
    const { name } = account.worker(nameOf(call));
    const wanted = json(z.array(NewRoute.extend({ zone_name: z.string() })), call);
    const foreign = wanted.find(({ zone_name: zone }) => zone !== account.zone.name);
    if (foreign !== undefined) throw badRequest(`Could not find zone ${foreign.zone_name}.`);
    removeRoutes(account, ({ script, pattern }) => script === name && !wanted.some((one) => one.pattern === pattern));
    return wanted.map(({ pattern }) => addRoute(account, pattern, name));
  }),
  route(`GET ${ROUTES}`, ({ account }) => new Listed(account.routes)),
  route(`DELETE ${ROUTES}/:route`, ({ account, params }) => {
    removeRoutes(account, ({ id }) => id === params["route"]);
    return null;
  }),
];
