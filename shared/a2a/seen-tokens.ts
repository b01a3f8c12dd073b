// Remembers which tokens were used, for at least as long as a token is valid.

/** Tokens that are remembered in one half of the memory, whatever their age. */
const MAX_TOKENS = 50_000;

export class SeenTokens {
  readonly #lifeMs: number;
  #young = new Set<string>();
  #old = new Set<string>();
  #since = Number.NEGATIVE_INFINITY;

  /** `lifeMs`: how long a token is valid at most, in milliseconds. */
  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs;
  }

  /** Whether the token is new. From now on it is not. */
  add(token: string, now = Date.now()): boolean {
    if (Math.abs(now - this.#since) > this.#lifeMs || this.#young.size >= MAX_TOKENS) {
      [this.#old, this.#young, this.#since] = [this.#young, new Set(), now];
    }
    if (this.#young.has(token) || this.#old.has(token)) return false;
    this.#young.add(token);
    return true;
  }
}
