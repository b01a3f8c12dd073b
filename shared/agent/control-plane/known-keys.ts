// What an isolate knows of the keys that came to it. The control plane is asked about a key every two seconds while that is used: so a
// revoked one is refused within five. While the control plane is away, a key that counted goes on for five minutes.
import { type Account, isExpired } from "../../control-plane/keys.ts";
import { TokenBucket } from "../../resilience/token-bucket.ts";

/** An answer is used without a question for so long. */
const FRESH_MS = 2_000;
/** And for so long while another request asks. */
const STALE_MS = 4_000;
/** A key that counted counts for so long without an answer. */
const HOLD_MS = 5 * 60_000;
/** Between two questions about a key while there is no answer. */
const PAUSE_MS = 2_000;
/** Keys that did not count and are remembered. The oldest are forgotten first. */
const MAX_REFUSED = 1_000;
/** Questions about keys that are not known to count, so that invented ones do not keep the control plane busy. */
const STRANGERS = { perS: 50, burst: 50 };

/** Resolves to undefined for a key that does not count. Rejects where the control plane gives no answer. */
export type AskAboutKey = (hash: string) => Promise<Account | undefined>;

interface Known {
  readonly account: Account;
  /** When the control plane was asked that gave this answer, in milliseconds since the epoch. */
  readonly checkedAt: number;
  /** When it was asked last. */
  askedAt: number;
  /** Whether it gave no answer the last time. */
  isAway: boolean;
}

export class KnownKeys {
  readonly #ask: AskAboutKey;
  /** No more than a job may have. */
  readonly #known = new Map<string, Known>();
  /** Hash → when the control plane was asked. */
  readonly #refused = new Map<string, number>();
  readonly #strangers = new TokenBucket(STRANGERS);

  constructor(ask: AskAboutKey) {
    this.#ask = ask;
  }

  /** What the key of this hash allows. `refused`: it does not count. `away`: nobody can say now. */
  async find(hash: string, now = Date.now()): Promise<Account | "refused" | "away"> {
    const known = this.#known.get(hash);
    if (known && isCurrent(known, now)) return verdict(known, now);
    if (isWithin(FRESH_MS, this.#refused.get(hash), now)) return "refused";
    if (!known && !this.#strangers.take(now)) return "away";
    if (known) known.askedAt = now;
    try {
      const account = await this.#ask(hash);
      if (account === undefined) this.#refuse(hash, now);
      else this.#know(hash, account, now);
      return account === undefined || isExpired(account, now) ? "refused" : account;
    } catch {
      if (known) known.isAway = true;
      return known && isWithin(HOLD_MS, known.checkedAt, now) ? verdict(known, now) : "away";
    }
  }

  #know(hash: string, account: Account, now: number): void {
    // A later question may have been answered first.
    const latest = Math.max(this.#known.get(hash)?.checkedAt ?? 0, this.#refused.get(hash) ?? 0);
    if (now < latest) return;
    this.#refused.delete(hash);
    this.#known.set(hash, { account, checkedAt: now, askedAt: now, isAway: false });
  }

  #refuse(hash: string, now: number): void {
    this.#known.delete(hash);
    this.#refused.delete(hash);
    this.#refused.set(hash, now);
    for (const oldest of this.#refused.keys()) if (this.#refused.size > MAX_REFUSED) this.#refused.delete(oldest);
  }
}

function isCurrent({ checkedAt, askedAt, isAway }: Known, now: number): boolean {
  if (isWithin(FRESH_MS, checkedAt, now)) return true;
  return isWithin(PAUSE_MS, askedAt, now) && isWithin(isAway ? HOLD_MS : STALE_MS, checkedAt, now);
}

function isWithin(ms: number, since: number | undefined, now: number): boolean {
  return since !== undefined && now >= since && now - since < ms;
}

function verdict({ account }: Known, now: number): Account | "refused" {
  return isExpired(account, now) ? "refused" : account;
}
