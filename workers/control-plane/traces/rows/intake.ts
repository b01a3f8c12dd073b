// Collects the batches of spans that several senders send at about the same time, so that one commit stores them: each
// commit waits for the disk.
import type { SpanBatch } from "../otlp/span-record.ts";

/** Between two commits, unless one sender alone sends: it may wait for each answer before it sends more. */
const INTERVAL_MS = 250;
/** With more of either, the batches wait no longer. */
const MAX_SPANS = 250;
const MAX_CHARACTERS = 2_000_000;

interface Waiting<Stored> {
  readonly batch: SpanBatch;
  readonly sender: string;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: unknown) => void;
}

export class Intake<Stored> {
  readonly #store: (batches: readonly SpanBatch[]) => Promise<readonly Stored[]>;
  #waiting: Waiting<Stored>[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the last commit was made, in ms since the epoch, and whose batches it stored. */
  #last = { at: 0, senders: new Set<string>() };

  /** `store` commits all batches or none, in their order, and resolves to what it says of each. */
  constructor(store: (batches: readonly SpanBatch[]) => Promise<readonly Stored[]>) {
    this.#store = store;
  }

  /** Resolves once the batch is stored. */
  async add(batch: SpanBatch): Promise<Stored> {
    const { promise, resolve, reject } = Promise.withResolvers<Stored>();
    this.#waiting.push({ batch, sender: senderOf(batch), resolve, reject });
    const waitMs = this.#mayWait() ? Math.min(this.#last.at + INTERVAL_MS - Date.now(), INTERVAL_MS) : 0;
    if (waitMs <= 0) await this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), waitMs);
    return promise;
  }

  /** Stores what waits. Never rejects: a batch that cannot be stored rejects its own promise. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const taken = this.#waiting;
    if (taken.length === 0) return;
    this.#waiting = [];
    this.#last = { at: Date.now(), senders: new Set(taken.map(({ sender }) => sender)) };
    try {
      await this.#storeAll(taken);
    } catch (error) {
      if (taken.length === 1) taken[0]?.reject(error);
      // Each by itself, so that no batch fails with another.
      else for (const one of taken) await this.#storeAll([one]).catch(one.reject);
    }
  }

  async #storeAll(taken: readonly Waiting<Stored>[]): Promise<void> {
    const stored = await this.#store(taken.map(({ batch }) => batch));
    for (const [index, one] of stored.entries()) taken[index]?.resolve(one);
  }

  #mayWait(): boolean {
    const senders = new Set([...this.#last.senders, ...this.#waiting.map(({ sender }) => sender)]);
    if (senders.size === 1) return false;
    const spans = this.#waiting.flatMap(({ batch }) => batch.spans);
    return spans.length <= MAX_SPANS && spans.reduce((sum, { bytes }) => sum + bytes, 0) <= MAX_CHARACTERS;
  }
}

/** The agent, or whoever made the spans. */
function senderOf({ sources: [source] }: SpanBatch): string {
  return JSON.stringify([source?.agent, source?.instance]);
}
