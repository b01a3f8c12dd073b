// Batches what the objects and requests of one isolate report. A request for each report would cost more than the
// reported work.

/** A batch that has not settled after this time was lost with its sender, and is sent again. */
const LOST_MS = 120_000;

export class IsolateBatch<Item> {
  readonly #delayMs: number;
  readonly #send: (items: readonly Item[]) => Promise<void>;
  readonly #waiting = new Map<string, Item>();
  readonly #sending = new Map<Map<string, Item>, number>();
  /**
   * When the waiting items will have been sent. After that time the sender was lost with its object, and the next
   * report starts another.
   */
  #dueAt = 0;

  /** `send` may get the same items twice. When it rejects, the items wait for the next report. */
  constructor(delayMs: number, send: (items: readonly Item[]) => Promise<void>) {
    this.#delayMs = delayMs;
    this.#send = send;
  }

  /** Whether items wait or are under way, and will have arrived soon. */
  get isUnderWay(): boolean {
    const since = Date.now() - 2 * this.#delayMs;
    return this.#isCarried || [...this.#sending.values()].some((begunAt) => begunAt >= since);
  }

  /** Sends `item` within `delayMs`. A later item of the same key replaces it. `waitUntil` keeps the sender alive. */
  add(key: string, item: Item, waitUntil: (work: Promise<unknown>) => void): void {
    const carried = this.#isCarried;
    this.#waiting.set(key, item);
    if (carried) return;
    this.#dueAt = Date.now() + 2 * this.#delayMs;
    waitUntil(new Promise((resolve) => setTimeout(resolve, this.#delayMs)).then(() => this.flush()));
  }

  /** Sends the waiting items. Rejects as `send` does. */
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

  /**
   * Sends the waiting items, and again those that are under way: no request can wait for what another one sends. Resolves when the
   * receiver has all items. Rejects as `send` does.
   */
  async flushAll(): Promise<void> {
    for (const items of this.#sending.keys()) this.#addWaiting(items);
    await this.flush();
  }

  /** Whether items wait, and somebody will send them. */
  get #isCarried(): boolean {
    return this.#waiting.size > 0 && Date.now() <= this.#dueAt;
  }

  /** Puts items back that were not sent. */
  #putBack(items: Map<string, Item>): void {
    if (!this.#sending.delete(items)) return;
    // Their sender has ended: the next report starts another.
    this.#dueAt = 0;
    this.#addWaiting(items);
  }

  /** Adds items, unless a later item has replaced them. */
  #addWaiting(items: Map<string, Item>): void {
    for (const [key, item] of items) if (!this.#waiting.has(key)) this.#waiting.set(key, item);
  }
}
