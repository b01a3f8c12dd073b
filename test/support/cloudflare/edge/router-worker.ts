// The Worker in front of all others. Requests from outside come through it, and what Workers fetch outside of themselves, so that
// names of the account are answered inside and streams and hang-ups pass as they do between any two Workers.
import type { Account } from "../account/account.ts";
import { running } from "../account/worker.ts";

export const ROUTER = "emulator-router";
/** From the edge to the router: the Worker that is meant, and the address that was asked for. */
export const MEANT_WORKER = "x-emulator-worker";
export const ASKED_URL = "x-emulator-url";

/** Who is where, for the router. */
export interface Table {
  /** What names of workers.dev end with. */
  readonly suffix: string;
  readonly domains: Readonly<Record<string, string>>;
  readonly workers: Readonly<Record<string, { readonly isPublic: boolean; readonly versions: readonly Share[] }>>;
}

interface Share {
  readonly id: string;
  readonly percentage: number;
  /** The router's binding to it. */
  readonly service: string;
}

/** What the router of these Workers has to know. */
export function tableOf(account: Account, members: ReadonlySet<string>): Table {
  const workers = [...account.workers.values()].map((worker) => {
    const versions = running(worker).map(({ version: { id }, percentage }) => {
      return { id, percentage, service: `VERSION_${id}` };
    });
    return [worker.name, { isPublic: worker.subdomain.enabled, versions }] as const;
  });
  return {
    suffix: `.${account.subdomain}.workers.dev`,
    domains: Object.fromEntries(
      account.domains.flatMap(({ hostname, service }) => (members.has(service) ? [[hostname, service]] : [])),
    ),
    workers: Object.fromEntries(workers.filter(([name]) => members.has(name))),
  };
}

export const NOTHING_HERE =
  "<!DOCTYPE html><title>There is nothing here yet</title><p>If you expect something to be here, it may take some time.</p>";

export const ROUTER_CODE = `
import { WorkerEntrypoint } from "cloudflare:workers";

const dealt = new Map();

// The golden ratio spreads the requests evenly: ten of them already come close to the percentages.
function share(worker, request) {
  const override = request.headers.get("cloudflare-workers-version-overrides") ?? "";
  for (const [, name, id] of override.matchAll(/([\\w-]+)="([\\w-]+)"/g)) {
    const wanted = worker.name === name ? worker.versions.find((version) => version.id === id) : undefined;
    if (wanted !== undefined) return wanted;
  }
  const count = (dealt.get(worker.name) ?? 0) + 1;
  dealt.set(worker.name, count);
  let at = ((count * 0.6180339887498949) % 1) * 100;
  for (const version of worker.versions) {
    at -= version.percentage;
    if (at < 0) return version;
  }
  return worker.versions[0];
}

async function dispatch(env, name, request) {
  const worker = env.TABLE.workers[name];
  if (worker === undefined || worker.versions.length === 0) {
    return new Response(${JSON.stringify(NOTHING_HERE)}, { status: 404, headers: { "content-type": "text/html" } });
  }
  try {
    return await env[share({ name, ...worker }, request).service].fetch(request);
  } catch {
    return new Response("error code: 1101", { status: 500 });
  }
}

/** From outside. */
export default {
  async fetch(request, env) {
    const name = request.headers.get("${MEANT_WORKER}");
    const forwarded = new Request(request.headers.get("${ASKED_URL}"), request);
    forwarded.headers.delete("${MEANT_WORKER}");
    forwarded.headers.delete("${ASKED_URL}");
    return dispatch(env, name, forwarded);
  },
};

/** What a Worker fetches by an address. */
export class Outbound extends WorkerEntrypoint {
  async fetch(request) {
    const { hostname } = new URL(request.url);
    const { suffix, domains, workers } = this.env.TABLE;
    const isOfAccount = hostname.endsWith(suffix);
    if (isOfAccount && !this.ctx.props.isStrictlyPublic) return new Response("error code: 1042", { status: 404 });
    const name = domains[hostname] ?? (isOfAccount ? hostname.slice(0, -suffix.length) : undefined);
    if (name !== undefined && (hostname in domains || workers[name]?.isPublic === true)) {
      return dispatch(this.env, name, request);
    }
    // The edge knows the Workers of other runtimes, and the internet.
    const forwarded = new Request("http://edge/", request);
    forwarded.headers.set("${ASKED_URL}", request.url);
    return this.env.EDGE.fetch(forwarded);
  }
}

/** A binding to a Worker of which two versions run. Methods are called at the greater share. */
export class Dealt extends WorkerEntrypoint {
  constructor(ctx, env) {
    super(ctx, env);
    const target = env[env.TABLE.workers[ctx.props.worker].versions[0].service];
    return new Proxy(this, { get: (self, key) => (Reflect.has(self, key) ? Reflect.get(self, key) : target[key]) });
  }
  async fetch(request) {
    return dispatch(this.env, this.ctx.props.worker, request);
  }
}

/** A binding to a Worker that has been deleted. */
export class Missing extends WorkerEntrypoint {
  async fetch() {
    throw new Error("The Worker of this binding has been deleted.");
  }
}

/** What Workers log, for those who tail them. */
export class Tail extends WorkerEntrypoint {
  async tail(events) {
    const { worker } = this.ctx.props;
    await this.env.TAIL.fetch("http://tail/", { method: "POST", body: JSON.stringify({ worker, events }) });
  }
}
`;
