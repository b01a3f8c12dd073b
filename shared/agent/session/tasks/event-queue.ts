// Events of a running turn for one subscriber, who reads at its own pace. One that falls too far behind is dropped, and can subscribe again.

const MAX_WAITING = 10_000;

export class EventQueue<Event> {
  #waiting: Event[] = [];
  #closed = false;
  #wake: (() => void) | undefined;

  push(event: Event): void {
    if (this.#closed) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting = [];
      this.close();
      return;
    }
    this.#waiting.push(event);
    this.#wake?.();
  }

  /** Ends the iteration after the waiting events. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *events(): AsyncGenerator<Event, void, undefined> {
    for (;;) {
      const batch = this.#waiting;
      this.#waiting = [];
      yield* batch;
      if (this.#waiting.length > 0) continue;
      if (this.#closed) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
