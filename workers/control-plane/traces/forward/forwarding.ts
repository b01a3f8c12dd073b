// Forwards each trace to the user's collector once the trace is quiet, and backs off while the collector fails.
// forwarding-queue.ts finds the spans, delivery.ts sends them.
import type { Failure, Network } from "./collector.ts";
import { Delivery } from "./delivery.ts";
import { ForwardingQueue } from "./forwarding-queue.ts";
import { quietMs } from "../rows/trace-change.ts";
import type { CollectorSettings, Settings } from "./settings.ts";
import type { Due } from "../rows/store-batch.ts";

/** Traces due within this time are sent together. */
const TOGETHER_MS = 1000;
/** Requests of one alarm. With more to send the alarm rings again at once, so that other work runs in between. */
const MAX_REQUESTS = 20;
const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Failures in a row, and when to try again. */
type CollectorState = { failures: number; retry_at: number };

export class Forwarding {
  readonly #sql: SqlStorage;
  readonly #queue: ForwardingQueue;
  readonly #settings: Settings;
  readonly #network: Network;
  readonly #log: (message: string) => void;

  constructor(sql: SqlStorage, settings: Settings, network: Network, log: (message: string) => void) {
    this.#sql = sql;
    this.#queue = new ForwardingQueue(sql, settings);
    this.#settings = settings;
    this.#network = network;
    this.#log = log;
  }

  /** When a trace that changes now may be forwarded. */
  readonly due: Due = (root, now) => (this.#settings.collector ? now + quietMs(root) : null);

  /** When `run` has work to do, in ms since the epoch; undefined for never. */
  nextAt(): number | undefined {
    if (!this.#settings.collector) return undefined;
    const dueAt = this.#queue.dueAt();
    if (dueAt === null) return undefined;
    return Math.max(Math.ceil(dueAt / TOGETHER_MS) * TOGETHER_MS, this.#standing.retry_at);
  }

  /** Forwards due spans until none is left or the collector fails. */
  async run(): Promise<void> {
    const { collector } = this.#settings;
    if (!collector || (this.nextAt() ?? Number.POSITIVE_INFINITY) > Date.now()) return;
    const delivery = new Delivery(this.#queue, collector, this.#network, this.#log);
    for (let request = 0; request < MAX_REQUESTS; request++) {
      const spans = this.#queue.next(Date.now());
      if (spans.length === 0) return;
      const failure = await delivery.deliver(spans, this.#standing.failures);
      if (failure) return this.#backOff(failure, collector);
      this.#recovered(collector);
    }
  }

  #backOff({ message, retryAfterMs }: Failure, { url }: CollectorSettings): void {
    const { failures } = this.#standing;
    if (failures === 0) this.#log(`The collector ${shown(url)} takes no spans, which wait until it does: ${message}`);
    const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures, 10), MAX_BACKOFF_MS);
    const wait = Math.max(backoff, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
    this.#standing = { failures: failures + 1, retry_at: Date.now() + wait };
  }

  #recovered({ url }: CollectorSettings): void {
    const { failures } = this.#standing;
    if (failures === 0) return;
    this.#log(`The collector ${shown(url)} takes spans again.`);
    this.#standing = { failures: 0, retry_at: 0 };
  }

  get #standing(): CollectorState {
    const [row] = this.#sql.exec<CollectorState>("SELECT failures, retry_at FROM collector").toArray();
    return row ?? { failures: 0, retry_at: 0 };
  }

  set #standing({ failures, retry_at }: CollectorState) {
    const sql = "INSERT OR REPLACE INTO collector (number, failures, retry_at) VALUES (1, ?, ?)";
    this.#sql.exec(sql, failures, retry_at);
  }
}

/** Without query and credentials, which may be secret. */
function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
