// Events of a running turn for one subscriber, who reads at its own pace. One that falls too far behind gets an error, and can subscribe again.
import { A2AError } from "@a2a-js/sdk/errors";

const MAX_WAITING = 10_000;

export class EventQueue<Event> {
  #waiting: Event[] = [];
  #closed = false;
  #isOverrun = false;
  #wake: (() => void) | undefined;

  push(event: Event): void {
    if (this.#closed) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting = [];
      this.#isOverrun = true;
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

  /** Throws A2AError once the reader is too far behind. */
  async *events(): AsyncGenerator<Event, void, undefined> {
    for (;;) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const event of batch) {
        if (this.#isOverrun) break;
        yield event;
      }
      if (this.#isOverrun)
        throw new A2AError(
          `More than ${MAX_WAITING} events of this stream wait to be read, so it ends here. The task goes on: subscribe to it again, and read faster.`,
        );
      if (this.#waiting.length > 0) continue;
      if (this.#closed) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
