// A connection that says nothing for too long is dead: neither the API client nor the platform ends it.

/** Watches for silence. One timer a call: a timer, or an iterator of its own, for each event would cost more than the event. */
export class IdleWatch {
  /** Undefined while nothing is waited for. */
  #lastHeard: number | undefined;
  #stalled = false;
  readonly #timer: ReturnType<typeof setInterval>;

  /** Calls `abort` after `limitMs` to 1.5 × `limitMs` of silence. It begins to watch with the first `heard`. */
  constructor(limitMs: number, abort: () => void) {
    this.#timer = setInterval(() => {
      if (this.#lastHeard === undefined || Date.now() - this.#lastHeard < limitMs) return;
      this.#stalled = true;
      abort();
    }, limitMs / 2);
  }

  /** Whether silence is what ended the call. */
  get stalled(): boolean {
    return this.#stalled;
  }

  heard(): void {
    this.#lastHeard = Date.now();
  }

  /** Until something is heard again, silence is no trouble: the client waits before it asks again. */
  pause(): void {
    this.#lastHeard = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
