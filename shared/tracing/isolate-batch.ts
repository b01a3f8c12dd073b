// Collects what the objects and requests of one isolate report, and sends it in one go. A report of its own for each
// change would cost more than the work it reports on.

/** Without word for so long, a batch is taken for lost together with whoever sent it, and sent again. */
const LOST_MS = 120_000;

export class IsolateBatch<Item> {
  readonly #delayMs: number;
  readonly #send: (items: readonly Item[]) => Promise<void>;
  readonly #waiting = new Map<string, Item>();
  readonly #sending = new Map<Map<string, Item>, number>();
  /**
   * When what waits will have been sent; after that its messenger is gone, with its object, and the next report sends
   * another.
   */
  #dueAt = 0;

  /** `send` may be given the same items twice. When it rejects, the items wait for the next report. */
  constructor(delayMs: number, send: (items: readonly Item[]) => Promise<void>) {
    this.#delayMs = delayMs;
    this.#send = send;
  }

  /** Sends `item` within `delayMs`; a later one of the same key replaces it. `waitUntil` keeps alive whoever sends. */
  add(key: string, item: Item, waitUntil: (work: Promise<unknown>) => void): void {
    const now = Date.now();
    const carried = this.#waiting.size > 0 && now <= this.#dueAt;
    this.#waiting.set(key, item);
    if (carried) return;
    this.#dueAt = now + 2 * this.#delayMs;
    waitUntil(new Promise((resolve) => setTimeout(resolve, this.#delayMs)).then(() => this.flush()));
  }

  /** Sends what waits. Rejects as `send` does. */
  async flush(): Promise<void> {
    for (const [items, since] of this.#sending) if (Date.now() - since > LOST_MS) this.#putBack(items);
    if (this.#waiting.size === 0) return;
    const items = new Map(this.#waiting);
    this.#waiting.clear();
    this.#sending.set(items, Date.now());
    try {
      await this.#send([...items.values()]);
      this.#sending.delete(items);
    } catch (error) {
      this.#putBack(items);
      throw error;
    }
  }

  /** But for those that have changed since. */
  #putBack(items: Map<string, Item>): void {
    if (!this.#sending.delete(items)) return;
    // Who brought them is done: the next report sends a messenger of its own.
    this.#dueAt = 0;
    for (const [key, item] of items) if (!this.#waiting.has(key)) this.#waiting.set(key, item);
  }
}
