// Ends silent connections, which neither the API client nor the platform does.
import { TICK_MS } from "./stopwatch.ts";

/** Watches for silence with one timer for each call: a timer for each event would cost more than the event. */
export class IdleWatch {
  /** Silence in ticks: a clock that is set forward is no silence. Undefined while nothing is awaited. */
  #silentMs: number | undefined;
  #stalled = false;
  readonly #tickMs: number;
  readonly #timer: ReturnType<typeof setInterval>;

  /** Calls `abort` after `limitMs` to 1.5 × `limitMs` of silence. Starts with the first `heard`. */
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

  /** Whether silence ended the call. */
  get stalled(): boolean {
    return this.#stalled;
  }

  heard(): void {
    // The running tick began before this event, so it does not count.
    this.#silentMs = -this.#tickMs;
  }

  /** Stops watching until the next `heard`: the client pauses before a retry. */
  pause(): void {
    this.#silentMs = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
