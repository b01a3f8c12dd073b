// Forwards traces to the user's collector, each when it has been quiet for a while. The queue is the span table itself: what has
// a higher `seq` than was forwarded last waits, however long the collector is away.
import { sendSpans } from "./collector.ts";
import { type StoredJson, toResourceSpans } from "./pages.ts";
import { quietMs } from "./quiet.ts";
import { isForwarded } from "./sampling.ts";
import type { CollectorSettings, Settings } from "./settings.ts";
import type { Due } from "./store-batch.ts";

const MAX_CHARACTERS = 1_000_000;
const MAX_SPANS = 2000;
/** What comes due within so long goes together. */
const TOGETHER_MS = 1000;
/** So that a long queue does not keep other work waiting: the alarm rings again at once. */
const MAX_REQUESTS = 20;
const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;
const MAX_RETRY_AFTER_MS = 3_600_000;
/** So many spans refused one by one, and none taken: then it is not the spans. */
const MAX_REFUSED = 8;

type QueuedSpan = StoredJson & { trace_id: string };
type DueTrace = {
  number: number;
  trace_id: string;
  forwarded_seq: number;
  errors: number;
  duration_us: number;
  cost: number;
};
/** How it stands with the collector; `accepted` is 1 once it has taken anything. */
type Standing = { failures: number; retry_at: number; accepted: number };

export class Forwarding {
  readonly #sql: SqlStorage;
  readonly #settings: Settings;
  readonly #network: Pick<Fetcher, "fetch">;
  readonly #log: (message: string) => void;

  constructor(sql: SqlStorage, settings: Settings, network: Pick<Fetcher, "fetch">, log: (message: string) => void) {
    this.#sql = sql;
    this.#settings = settings;
    this.#network = network;
    this.#log = log;
  }

  /** When a trace that changes now is due. */
  readonly due: Due = (root, now) => (this.#settings.collector ? now + quietMs(root) : null);

  /** When `run` has something to do; undefined for never. */
  nextAt(): number | undefined {
    if (!this.#settings.collector) return undefined;
    const sql = "SELECT min(due_at) AS due_at FROM traces WHERE due_at IS NOT NULL";
    const { due_at } = this.#sql.exec<{ due_at: number | null }>(sql).one();
    if (due_at === null) return undefined;
    return Math.max(Math.ceil(due_at / TOGETHER_MS) * TOGETHER_MS, this.#standing.retry_at);
  }

  /** Forwards what is due, as far as the collector takes it. */
  async run(): Promise<void> {
    const { collector } = this.#settings;
    if (!collector || (this.nextAt() ?? Number.POSITIVE_INFINITY) > Date.now()) return;
    for (let request = 0; request < MAX_REQUESTS; request++) {
      const spans = this.#next(Date.now());
      if (spans.length === 0) return;
      const failure = await this.#deliver(spans, collector);
      if (failure) return this.#backOff(failure, collector);
      this.#recovered(collector);
    }
  }

  /** The next spans to be sent, of one trace or several. Traces that have nothing to send are not due any more. */
  #next(now: number): QueuedSpan[] {
    const spans: QueuedSpan[] = [];
    let characters = 0;
    const traces = this.#sql
      .exec<DueTrace>(
        `SELECT number, trace_id, forwarded_seq, errors, root_duration_us AS duration_us, cost FROM traces
         WHERE due_at <= ? ORDER BY due_at`,
        now,
      )
      .toArray();
    for (const trace of traces) {
      const before = spans.length;
      if (
        isForwarded(
          { ...trace, traceId: trace.trace_id, durationUs: trace.duration_us, costUsd: trace.cost },
          this.#settings,
        )
      ) {
        for (const span of this.#ended(trace)) {
          if (spans.length > 0 && characters + span.json.length > MAX_CHARACTERS) return spans;
          spans.push(span);
          characters += span.json.length;
          if (spans.length === MAX_SPANS) return spans;
        }
      }
      if (spans.length === before) this.#sql.exec("UPDATE traces SET due_at = NULL WHERE number = ?", trace.number);
    }
    return spans;
  }

  /** In order of `seq`: SQLite keeps the order of a part of a query only where that has a limit. */
  #ended({ number, forwarded_seq }: DueTrace): Iterable<QueuedSpan> {
    return this.#sql.exec<QueuedSpan>(
      `SELECT seq, trace_id, resource, scope, json
       FROM (SELECT seq FROM spans WHERE trace = ?1 AND seq > ?2 ORDER BY seq LIMIT -1) CROSS JOIN spans USING (seq)
       JOIN sources ON sources.number = source JOIN traces ON traces.number = trace
       WHERE duration_us >= 0`,
      number,
      forwarded_seq,
    );
  }

  /** Sends the spans, in halves where they are refused together. A single one that is refused is given up, if others are not. */
  async #deliver(spans: QueuedSpan[], collector: CollectorSettings): Promise<Failure | undefined> {
    const parts = [spans];
    const refused: { span: QueuedSpan; message: string }[] = [];
    let taken = false;
    for (let part = parts.pop(); part; part = parts.pop()) {
      const outcome = await sendSpans(toResourceSpans(part), collector, this.#network);
      if (outcome.result === "failed") return outcome;
      if (outcome.result === "accepted") {
        taken = true;
        this.#forwarded(part);
        if (outcome.remark) this.#log(`The collector took a request, but ${outcome.remark}`);
        continue;
      }
      const [first] = part;
      if (part.length > 1 || !first) {
        const middle = Math.ceil(part.length / 2);
        parts.push(part.slice(middle), part.slice(0, middle));
        continue;
      }
      refused.push({ span: first, message: outcome.message });
      if (!taken && refused.length === MAX_REFUSED) return { message: outcome.message, retryAfterMs: 0 };
    }
    const [first] = refused;
    if (first && !taken && this.#standing.accepted === 0) return { message: first.message, retryAfterMs: 0 };
    for (const { span, message } of refused) this.#giveUp(span, message);
    return undefined;
  }

  #giveUp(span: QueuedSpan, message: string): void {
    const id = /"spanId":"([0-9a-f]{16})"/.exec(span.json)?.[1] ?? "";
    this.#log(`The collector refuses the span ${id} of the trace ${span.trace_id}, which is not forwarded: ${message}`);
    this.#forwarded([span]);
  }

  #forwarded(spans: readonly QueuedSpan[]): void {
    const last = new Map(spans.map(({ trace_id, seq }) => [trace_id, seq]));
    for (const [traceId, seq] of last) {
      this.#sql.exec(
        `UPDATE traces SET forwarded_seq = max(forwarded_seq, ?2), due_at = CASE WHEN ended_seq > ?2 THEN due_at END
         WHERE trace_id = ?1`,
        traceId,
        seq,
      );
    }
  }

  #backOff({ message, retryAfterMs }: Failure, { url }: CollectorSettings): void {
    const { failures, accepted } = this.#standing;
    if (failures === 0) this.#log(`The collector ${shown(url)} takes no spans, which wait until it does: ${message}`);
    const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures, 10), MAX_BACKOFF_MS);
    const wait = Math.max(backoff, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
    this.#standing = { failures: failures + 1, retry_at: Date.now() + wait, accepted };
  }

  #recovered({ url }: CollectorSettings): void {
    const { failures, accepted } = this.#standing;
    if (failures > 0) this.#log(`The collector ${shown(url)} takes spans again.`);
    if (failures > 0 || accepted === 0) this.#standing = { failures: 0, retry_at: 0, accepted: 1 };
  }

  get #standing(): Standing {
    const [row] = this.#sql.exec<Standing>("SELECT failures, retry_at, accepted FROM collector").toArray();
    return row ?? { failures: 0, retry_at: 0, accepted: 0 };
  }

  set #standing({ failures, retry_at, accepted }: Standing) {
    const sql = "INSERT OR REPLACE INTO collector (number, failures, retry_at, accepted) VALUES (1, ?, ?, ?)";
    this.#sql.exec(sql, failures, retry_at, accepted);
  }
}

interface Failure {
  readonly message: string;
  readonly retryAfterMs: number;
}

/** Without what may be secret. */
function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
