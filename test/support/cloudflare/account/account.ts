// The account: its Workers, its names on the internet and the tokens that reach it. It knows no HTTP and serves nothing.
import { randomBytes, randomUUID } from "node:crypto";

import { noSuchService, noSuchWorker } from "./api-error.ts";
import { type KeptBinding, running, type Worker } from "./worker.ts";

export interface Limits {
  /** How many Workers the account may have. */
  readonly workers: number;
  /** Bytes of all modules of one upload after gzip. */
  readonly scriptBytes: number;
}

/** Of the paid plan. */
const LIMITS: Limits = { workers: 500, scriptBytes: 10 * 2 ** 20 };

export interface Domain {
  readonly id: string;
  readonly hostname: string;
  readonly service: string;
  readonly zone_id: string;
  readonly zone_name: string;
}

/** A part of a host in the zone, and the Worker that answers there. */
export interface ZoneRoute {
  readonly id: string;
  /** Such as `www.acme.test/part/*`. */
  readonly pattern: string;
  readonly script: string;
}

/** Who binds a Worker, and with which binding. */
export interface Reference {
  readonly worker: Worker;
  readonly binding: KeptBinding;
}

export class Account {
  readonly id = newId();
  readonly subdomain = "acme";
  /** The one zone: custom domains of Workers are names in it. */
  readonly zone = { id: newId(), name: "acme.test" } as const;
  readonly limits: Limits;
  readonly workers = new Map<string, Worker>();
  readonly domains: Domain[] = [];
  readonly routes: ZoneRoute[] = [];
  /** Hosts of the zone that have DNS records of other kinds. */
  readonly records = new Set<string>();

  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...LIMITS, ...limits };
  }

  /** Throws what Cloudflare answers for a script that is not there. */
  worker(name: string): Worker {
    const found = this.workers.get(name);
    if (found === undefined) throw noSuchWorker();
    return found;
  }

  /** Throws what Cloudflare answers for a service that is not there. */
  service(name: string): Worker {
    const found = this.workers.get(name);
    if (found === undefined) throw noSuchService();
    return found;
  }

  /** Bindings of running versions of other Workers to this one. */
  referencesTo(name: string): Reference[] {
    return [...this.workers.values()]
      .filter((worker) => worker.name !== name)
      .flatMap((worker) =>
        running(worker)
          .flatMap(({ version }) => version.bindings)
          .filter((binding) => targetOf(binding) === name)
          .map((binding) => ({ worker, binding })),
      );
  }

  /** The Worker that answers at this address; undefined where there is none. Routes come before domains. */
  workerAt({ hostname, pathname }: Pick<URL, "hostname" | "pathname">): Worker | undefined {
    const route = this.routes.find(({ pattern }) => `${hostname}${pathname}`.startsWith(pattern.slice(0, -1)));
    if (route !== undefined) return this.workers.get(route.script);
    const domain = this.domains.find((one) => one.hostname === hostname);
    if (domain !== undefined) return this.workers.get(domain.service);
    const end = `.${this.subdomain}.workers.dev`;
    if (!hostname.endsWith(end)) return undefined;
    const worker = this.workers.get(hostname.slice(0, -end.length));
    return worker?.subdomain.enabled === true ? worker : undefined;
  }
}

/** The Worker that a binding needs; undefined where it needs none or its own. */
export function targetOf(binding: KeptBinding): string | undefined {
  if (binding.type === "service") return binding.service;
  return binding.type === "durable_object_namespace" ? binding.script_name : undefined;
}

/** An id as Cloudflare writes most of them: 32 hexadecimal digits. */
export function newId(): string {
  return randomBytes(16).toString("hex");
}

export function newWorker(name: string): Worker {
  const now = new Date().toISOString();
  return {
    name,
    tag: newId(),
    createdAt: now,
    modifiedAt: now,
    tags: [],
    migrationTag: undefined,
    namespaces: [],
    versions: [],
    deployments: [],
    subdomain: { enabled: false, previews_enabled: false },
    settings: {},
  };
}

export const newVersionId = (): string => randomUUID();
