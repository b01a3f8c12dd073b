// A connection that says nothing for too long is dead: neither the API client nor the platform ends it.
import { TICK_MS } from "../resilience/stopwatch.ts";

/**
 * Watches for silence. One timer a call: a timer, or an iterator of its own, for each event would cost more than the
 * event.
 */
export class IdleWatch {
  /** Counted in ticks, since a clock that is set forward is no silence; undefined while nothing is waited for. */
  #silentMs: number | undefined;
  #stalled = false;
  readonly #tickMs: number;
  readonly #timer: ReturnType<typeof setInterval>;

  /** Calls `abort` after `limitMs` to 1.5 × `limitMs` of silence. It begins to watch with the first `heard`. */
  constructor(limitMs: number, abort: () => void) {
    this.#tickMs = Math.min(TICK_MS, limitMs / 2);
    this.#timer = setInterval(() => {
      if (this.#silentMs === undefined) return;
      this.#silentMs += this.#tickMs;
      if (this.#silentMs < limitMs) return;
      this.#stalled = true;
      abort();
    }, this.#tickMs);
  }

  /** Whether silence is what ended the call. */
  get stalled(): boolean {
    return this.#stalled;
  }

  heard(): void {
    // The tick that is under way began before this, so it does not count.
    this.#silentMs = -this.#tickMs;
  }

  /** Until something is heard again, silence is no trouble: the client waits before it asks again. */
  pause(): void {
    this.#silentMs = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
