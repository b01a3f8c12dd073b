// The addresses of a job's Workers: below workers.dev, custom domains and routes. Pure.
import { agentScript, type Route } from "#jobs/plan/cloudflare.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";

export interface Addresses {
  readonly script: string;
  readonly workersDev: boolean;
  readonly route?: Route;
}

/** Those of all agents. */
export function addressesOf(plan: Plan): Addresses[] {
  const { cloudflare } = plan;
  if (cloudflare === undefined) return [];
  return plan.agents.map(({ id, route }) => ({
    script: agentScript(cloudflare, plan.job, id),
    workersDev: cloudflare.workersDev,
    ...(route === undefined ? {} : { route }),
  }));
}

/** The same Workers while nobody reaches them. */
export function hidden(addresses: readonly Addresses[]): Addresses[] {
  return addresses.map(({ script }) => ({ script, workersDev: false }));
}

/** What they have once these scripts are uploaded as `to` says: an upload sets the address below workers.dev alone. */
export function afterUpload(
  from: readonly Addresses[],
  to: readonly Addresses[],
  uploaded: ReadonlySet<string>,
): Addresses[] {
  const wanted = to.filter(({ script }) => uploaded.has(script));
  const others = from.filter(({ script }) => !wanted.some((one) => one.script === script));
  const now = wanted.map(({ script, workersDev }) => {
    const route = from.find((old) => old.script === script)?.route;
    return { script, workersDev, ...(route === undefined ? {} : { route }) };
  });
  return [...others, ...now];
}

/** Those of `from` whose route is not their Worker's in `to`. */
export function routesLost(
  from: readonly Addresses[],
  to: readonly Addresses[],
): { readonly script: string; readonly route: Route }[] {
  return from.flatMap(({ script, route }) => {
    const next = to.find((other) => other.script === script)?.route;
    return route === undefined || isSameRoute(route, next) ? [] : [{ script, route }];
  });
}

/** Those of `to` that are not so yet. `from` lacks Workers that had no address. */
export function changed(from: readonly Addresses[], to: readonly Addresses[]): Addresses[] {
  return to.filter(({ script, workersDev, route }) => {
    const old = from.find((other) => other.script === script);
    return (old?.workersDev ?? false) !== workersDev || !isSameRoute(route, old?.route);
  });
}

/** Whether nothing is to be given and nothing to be taken away. */
export function isSame(from: readonly Addresses[], to: readonly Addresses[]): boolean {
  return changed(from, to).length + routesLost(from, to).length === 0;
}

/** As wrangler's configuration has it. */
export function routesOf({ route }: Addresses): Record<string, unknown>[] {
  if (route === undefined) return [];
  const { pattern, zone } = route;
  return [zone === undefined ? { pattern, custom_domain: true } : { pattern, zone_name: zone }];
}

function isSameRoute(one: Route | undefined, other: Route | undefined): boolean {
  return one?.pattern === other?.pattern && one?.zone === other?.zone;
}
