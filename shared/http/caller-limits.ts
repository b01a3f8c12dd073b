// Limits each caller: how often it may send a request, and how many may be open at once, streams included.
import { type Rate, TokenBucket } from "../resilience/token-bucket.ts";
import { type Refusal, RETRY_AFTER_S } from "./gate.ts";
import { problem } from "./problem.ts";

export interface CallerLimit extends Rate {
  /** Requests that have not been answered to the end. */
  readonly open: number;
}

/** What ends the request, or why it is refused. */
export type Entry = (() => void) | Refusal;

export class CallerLimits {
  /** As many as a job has accounts and agents. */
  readonly #callers = new Map<string, { readonly bucket: TokenBucket; open: number }>();

  /** One request of a caller. Call the result once when it has ended. */
  enter(caller: string, limit: CallerLimit, now = Date.now()): Entry {
    const counts = this.#callers.get(caller) ?? { bucket: new TokenBucket(limit), open: 0 };
    this.#callers.set(caller, counts);
    if (counts.open >= limit.open) return tooMany(`You have ${counts.open} open requests, which is the limit.`);
    if (!counts.bucket.take(now)) {
      return tooMany(`You may send ${limit.perS} requests a second.`, Math.ceil(counts.bucket.waitS));
    }
    counts.open++;
    return () => void counts.open--;
  }
}

/** The caller has to do less: its 429. */
export function tooMany(why: string, retryAfterS = RETRY_AFTER_S): Refusal {
  const detail = `${why} Send the request again in ${retryAfterS} s.`;
  return [problem("too-many-requests", detail), { "retry-after": String(retryAfterS) }];
}
