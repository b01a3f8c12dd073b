// How often an agent of a job says that it lives.
import { checkedDurationMs } from "#shared/text/duration.ts";

import type { Place } from "../placement/place.ts";
import type { Job } from "../schema/schema.ts";

const DEFAULT_MS = 5_000;
/** There each heartbeat is billed: at the other default, four agents take more requests of objects than a day of Workers Free has. */
const CLOUDFLARE_MS = 60_000;

/** The job's own interval, or the default of its places, in milliseconds. */
export function heartbeatMs({ heartbeat }: Pick<Job, "heartbeat">, places: readonly Pick<Place, "kind">[]): number {
  if (heartbeat.interval !== undefined) return checkedDurationMs(heartbeat.interval);
  return places.some(({ kind }) => kind === "cloudflare") ? CLOUDFLARE_MS : DEFAULT_MS;
}
