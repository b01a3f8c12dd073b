// Measures time although the clock may be set meanwhile. workerd's timers follow the machine's clock: a clock set
// forward by an hour ends every limit of up to an hour. Time is counted in ticks of one timer each, so such a jump
// costs one tick.

export const TICK_MS = 5_000;

/** Runs from `start` to `stop`, or to its limit. */
export class Stopwatch {
  /** Milliseconds of finished ticks. */
  #countedMs = 0;
  /** Start of the current tick, and the milliseconds of it that have passed. */
  #since = 0;
  #knownMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor() {}

  /** Calls `atLimit` once, after `limitMs` milliseconds. */
  static start(limitMs = Number.POSITIVE_INFINITY, atLimit: () => void = () => {}): Stopwatch {
    const started = new Stopwatch();
    started.#tick(limitMs, atLimit);
    return started;
  }

  /** Milliseconds so far. Never decreases: a clock that is set back adds nothing. */
  get ms(): number {
    const elapsed = Date.now() - this.#since;
    if (elapsed < this.#knownMs) this.#since = Date.now() - this.#knownMs;
    else this.#knownMs = Math.min(elapsed, TICK_MS);
    return this.#countedMs + this.#knownMs;
  }

  /** Must be called unless the limit was reached: each tick wakes the isolate. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #tick(leftMs: number, atLimit: () => void): void {
    const tickMs = Math.max(0, Math.min(TICK_MS, leftMs));
    [this.#since, this.#knownMs] = [Date.now(), 0];
    this.#timer = setTimeout(() => {
      this.#countedMs += tickMs;
      if (leftMs > tickMs) this.#tick(leftMs - tickMs, atLimit);
      else atLimit();
    }, tickMs);
  }
}

/** As AbortSignal.timeout, but safe against a clock that is set forward. */
export function timeLimit(limitMs: number): AbortSignal {
  const limit = new AbortController();
  const reason = () => new DOMException(`It took longer than ${limitMs / 1000} s.`, "TimeoutError");
  Stopwatch.start(limitMs, () => limit.abort(reason()));
  return limit.signal;
}
