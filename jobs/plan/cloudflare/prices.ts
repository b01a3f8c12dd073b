// What Cloudflare asks for Workers and Durable Objects on the plan Workers Paid, in US dollars, and what is free. Each row names its page
// and the day of the page's last change.
import type { Source } from "./limits.ts";

const WORKERS: Source = { page: "developers.cloudflare.com/workers/platform/pricing/", date: "2026-10-02" };
const OBJECTS: Source = { page: "developers.cloudflare.com/durable-objects/platform/pricing/", date: "2026-09-30" };

export interface ItemPrice {
  /** What is counted, as the user reads it. */
  readonly what: string;
  readonly usd: number;
  /** So many cost `usd`. */
  readonly per: number;
  /** Included in a month of Workers Paid. */
  readonly included: number;
  /** What Workers Free allows, with its period; undefined where it has no such limit. */
  readonly free: string | undefined;
  readonly source: Source;
}

const MILLION = 1_000_000;

export const PRICES = {
  requests: {
    what: "requests",
    usd: 0.3,
    per: MILLION,
    included: 10 * MILLION,
    free: "100,000 a day",
    source: WORKERS,
  },
  cpuMs: {
    what: "CPU ms",
    usd: 0.02,
    per: MILLION,
    included: 30 * MILLION,
    free: "10 ms an invocation",
    source: WORKERS,
  },
  objectRequests: {
    what: "requests of objects",
    usd: 0.15,
    per: MILLION,
    included: MILLION,
    free: "100,000 a day",
    source: OBJECTS,
  },
  gbSeconds: {
    what: "GB-s of objects",
    usd: 12.5,
    per: MILLION,
    included: 400_000,
    free: "13,000 a day",
    source: OBJECTS,
  },
  rowsRead: {
    what: "rows read",
    usd: 0.001,
    per: MILLION,
    included: 25_000 * MILLION,
    free: "5 million a day",
    source: OBJECTS,
  },
  rowsWritten: {
    what: "rows written",
    usd: 1,
    per: MILLION,
    included: 50 * MILLION,
    free: "100,000 a day",
    source: OBJECTS,
  },
  /** For each month in which it is stored. */
  gbMonths: { what: "GB-months stored", usd: 0.2, per: 1, included: 5, free: "5 GB in all", source: OBJECTS },
} as const satisfies Record<string, ItemPrice>;

export type Item = keyof typeof PRICES;

/** Of the plan Workers Paid, a month. */
export const SUBSCRIPTION = { usd: 5, source: WORKERS } as const;

/** Memory that an object is billed for, whatever it uses (durable-objects/platform/pricing/, as above). */
export const OBJECT_GB = 0.128;
