// Cloudflare's limits, each with the page that says it and the day that the page gives as its last change. No figure without a source.

export interface Source {
  readonly page: string;
  /** Of the page's last change, as the page says. */
  readonly date: string;
}

/** `free` and `paid`: on the plans Workers Free and Workers Paid. */
export interface Limit {
  readonly free: number;
  readonly paid: number;
  readonly source: Source;
}

const WORKERS: Source = { page: "developers.cloudflare.com/workers/platform/limits/", date: "2026-09-05" };
const OBJECTS: Source = { page: "developers.cloudflare.com/durable-objects/platform/limits/", date: "2026-06-01" };
const OBJECT_PRICES: Source = {
  page: "developers.cloudflare.com/durable-objects/platform/pricing/",
  date: "2026-09-30",
};
const BINDINGS: Source = {
  page: "developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/",
  date: "2026-08-18",
};
/** A Worker's name is a label of its address. */
const LABELS: Source = { page: "www.rfc-editor.org/rfc/rfc1035, section 2.3.4", date: "1987-11" };

export const LIMITS = {
  /** Of an account. */
  workers: { free: 100, paid: 500, source: WORKERS },
  /** Of an account. */
  objectClasses: { free: 100, paid: 500, source: OBJECTS },
  /** Of a Worker, secrets among them. */
  variables: { free: 64, paid: 128, source: WORKERS },
  /** Of one variable. The page says 5 KB, which is no more than this. */
  variableBytes: { free: 5_000, paid: 5_000, source: WORKERS },
  /** Of a Worker, not compressed. Before 2026-09-04 the limit was that of the compressed module: 3 MB and 10 MB. */
  moduleBytes: { free: 64 * 1024 * 1024, paid: 64 * 1024 * 1024, source: WORKERS },
  nameCharacters: { free: 63, paid: 63, source: LABELS },
  /** Invocations of Workers in one request. Each call over a service binding counts. */
  invocations: { free: 32, paid: 32, source: BINDINGS },
  /** Of one request. The paid figure is a default. */
  subrequests: { free: 50, paid: 10_000, source: WORKERS },
  /** Requests of all objects of an account, alarms among them. Paid ones cost. */
  objectRequestsPerDay: { free: 100_000, paid: Infinity, source: OBJECT_PRICES },
} as const satisfies Record<string, Limit>;
