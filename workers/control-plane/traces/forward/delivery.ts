// Sends queued spans to the collector, and drops spans that the collector never takes, so that they do not hold up the
// others. Drops nothing while the collector refuses everything.
import { type Failure, type Network, type Outcome, sendSpans } from "./collector.ts";
import type { ForwardingQueue, QueuedSpan } from "./forwarding-queue.ts";
import { toResourceSpans } from "../rows/pages.ts";
import type { CollectorSettings } from "./settings.ts";

/** Spans refused one by one since the last accepted one, after which the collector may be at fault. */
const MAX_REFUSED = 8;
/** Failures in a row after which the spans may be at fault. */
const MAX_FAILURES = 3;
const MAX_PROBES = 4;

interface Refused {
  readonly span: QueuedSpan;
  readonly message: string;
}

export class Delivery {
  readonly #queue: ForwardingQueue;
  readonly #collector: CollectorSettings;
  readonly #network: Network;
  readonly #log: (message: string) => void;
  /** Spans refused alone since the collector accepted one; undefined while it has accepted none. */
  #refusals: number | undefined;
  /** `seq` of spans that were sent early, as probes. */
  readonly #sent = new Set<number>();

  constructor(queue: ForwardingQueue, collector: CollectorSettings, network: Network, log: (message: string) => void) {
    this.#queue = queue;
    this.#collector = collector;
    this.#network = network;
    this.#log = log;
  }

  /**
   * Sends the spans. A refused request is sent again in halves; so is a failed one after MAX_FAILURES, if the collector
   * accepts other spans. Drops a span that is refused alone while others are accepted. `failures` counts the failures
   * before this call. Resolves to the failure that stopped the delivery.
   */
  async deliver(spans: readonly QueuedSpan[], failures: number): Promise<Failure | undefined> {
    const parts = [spans];
    let refused: Refused[] = [];
    let isSuspect = false;
    for (let part = parts.pop(); part; part = parts.pop()) {
      const outcome = await this.#send(part.filter(({ seq }) => !this.#sent.has(seq)));
      if (outcome.result === "accepted") {
        this.#queue.remove(part);
        refused = this.#drop(refused);
        continue;
      }
      if (outcome.result === "failed" && !isSuspect) {
        parts.push(part);
        isSuspect =
          !outcome.retryable &&
          failures + 1 >= MAX_FAILURES &&
          (await this.#acceptsAny(parts, part.slice(0, 1), failures));
        if (!isSuspect) return outcome;
        continue;
      }
      if (outcome.result === "failed" && outcome.retryable) return outcome;
      const [first] = part;
      if (part.length > 1 || !first) {
        const middle = Math.ceil(part.length / 2);
        parts.push(part.slice(middle), part.slice(0, middle));
        continue;
      }
      refused.push({ span: first, message: outcome.message });
      if (this.#refusals !== undefined) this.#refusals++;
      if (refused.length < MAX_REFUSED && parts.length > 0) continue;
      const bad = refused.map(({ span }) => span);
      if (!this.#isProven && !(await this.#acceptsAny(parts, bad, failures))) {
        return { message: outcome.message, retryAfterMs: 0 };
      }
      refused = this.#drop(refused);
    }
    return undefined;
  }

  get #isProven(): boolean {
    return this.#refusals !== undefined && this.#refusals < MAX_REFUSED;
  }

  /**
   * Whether the collector accepts any of a few spans, preferably of other traces than those of `bad`. Each `round`
   * tries other spans.
   */
  async #acceptsAny(
    parts: readonly (readonly QueuedSpan[])[],
    bad: readonly QueuedSpan[],
    round: number,
  ): Promise<boolean> {
    const others = this.#queue.samples(bad, MAX_PROBES, round, Date.now());
    for (const span of others.length > 0 ? others : this.#lastOf(parts, round)) {
      const outcome = await this.#send([span]);
      if (outcome.result === "failed" && outcome.retryable) return false;
      if (outcome.result !== "accepted") continue;
      this.#sent.add(span.seq);
      // In a trace of `bad`, earlier spans still wait.
      if (others.includes(span)) this.#queue.remove([span]);
      return true;
    }
    return false;
  }

  #lastOf(parts: readonly (readonly QueuedSpan[])[], round: number): QueuedSpan[] {
    const spans = parts.flat().filter(({ seq }) => !this.#sent.has(seq));
    const start = (round * MAX_PROBES) % Math.max(spans.length, 1);
    return spans.toReversed().slice(start, start + MAX_PROBES);
  }

  async #send(spans: readonly QueuedSpan[]): Promise<Outcome> {
    if (spans.length === 0) return { result: "accepted", remark: undefined };
    const outcome = await sendSpans(toResourceSpans(spans), this.#collector, this.#network);
    if (outcome.result === "accepted") {
      this.#refusals = 0;
      if (outcome.remark) this.#log(`The collector took a request, but ${outcome.remark}`);
    }
    return outcome;
  }

  #drop(refused: readonly Refused[]): [] {
    for (const { span, message } of refused) {
      const id = /"spanId":"([0-9a-f]{16})"/.exec(span.json)?.[1] ?? "";
      this.#log(
        `The collector refuses the span ${id} of the trace ${span.traceId}, which is not forwarded: ${message}`,
      );
    }
    this.#queue.remove(refused.map(({ span }) => span));
    return [];
  }
}
