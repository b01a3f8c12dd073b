// Limits how often something may happen: so often at once, and so often a second from then on.

export interface Rate {
  readonly perS: number;
  readonly burst: number;
}

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #at = 0;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#tokens = rate.burst;
  }

  /** Whether it may happen now. `now` in milliseconds since the epoch. */
  take(now: number): boolean {
    // A clock that goes back gives nothing.
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + (Math.max(0, now - this.#at) / 1_000) * this.#rate.perS);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Seconds until it may happen again. */
  get waitS(): number {
    return Math.max(0, 1 - this.#tokens) / this.#rate.perS;
  }
}
