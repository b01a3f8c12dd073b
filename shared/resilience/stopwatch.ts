// Time that passes, by a clock that may be set meanwhile. workerd's timers follow the machine's clock: one that is set forward by an hour
// ends each limit of up to an hour at once. So time is counted in ticks, each with a timer of its own, and such a jump costs one tick.

/** The longest tick, in milliseconds. */
export const TICK_MS = 5_000;

/** Runs from its start until it is stopped, or its limit is reached. */
export class Stopwatch {
  /** Of the ticks that are over. */
  #countedMs = 0;
  /** When the present tick began, and how much of it is known to have passed. */
  #since = 0;
  #knownMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor() {}

  /** Calls `atLimit` once, after `limitMs`; without a limit never. */
  static start(limitMs = Number.POSITIVE_INFINITY, atLimit: () => void = () => {}): Stopwatch {
    const started = new Stopwatch();
    started.#tick(limitMs, atLimit);
    return started;
  }

  /** Milliseconds so far. Never less than before: a clock that is put back adds nothing. */
  get ms(): number {
    const elapsed = Date.now() - this.#since;
    if (elapsed < this.#knownMs) this.#since = Date.now() - this.#knownMs;
    else this.#knownMs = Math.min(elapsed, TICK_MS);
    return this.#countedMs + this.#knownMs;
  }

  /** Has to be called, unless the limit was reached: each tick wakes the isolate. */
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

/** As AbortSignal.timeout, for limits that are longer than a tick. */
export function timeLimit(limitMs: number): AbortSignal {
  const limit = new AbortController();
  const reason = () => new DOMException(`It took longer than ${limitMs / 1000} s.`, "TimeoutError");
  Stopwatch.start(limitMs, () => limit.abort(reason()));
  return limit.signal;
}
