// A stream that says nothing for too long is dead: neither the API client nor the platform ends it.

/** Watches for silence. One timer a stream: a timer, or an iterator of its own, for each event would cost more than the event. */
export class IdleWatch {
  #lastHeard = Date.now();
  #stalled = false;
  readonly #timer: ReturnType<typeof setInterval>;

  /** Calls `abort` after `limitMs` to 1.5 × `limitMs` of silence. */
  constructor(limitMs: number, abort: () => void) {
    this.#timer = setInterval(() => {
      if (Date.now() - this.#lastHeard < limitMs) return;
      this.#stalled = true;
      abort();
    }, limitMs / 2);
  }

  /** Whether silence is what ended the stream. */
  get stalled(): boolean {
    return this.#stalled;
  }

  heard(): void {
    this.#lastHeard = Date.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
