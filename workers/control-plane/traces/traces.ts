// Traces of one job: owns their spans and summaries, forwards them to the user's collector, and deletes old ones. One
// alarm drives both. store-batch.ts merges a batch into the tables. Every method may be repeated.
import { DurableObject } from "cloudflare:workers";
import { Alarm } from "#shared/durable/alarm.ts";
import { Tables } from "#shared/durable/tables.ts";
import { reasonOf } from "#shared/text/reason.ts";
import type { Env } from "../env.ts";
import { closed, interruptedIn } from "./close-open.ts";
import type { LostAgent, TracesRpc, PrunableTrace } from "../rpc.ts";
import { Forwarding } from "./forward/forwarding.ts";
import type { Rejections } from "./otlp/rejections.ts";
import { Intake } from "./rows/intake.ts";
import { MIGRATIONS } from "./rows/migrations.ts";
import { columnPage, otlpPage } from "./rows/pages.ts";
import { Retention } from "./retention.ts";
import type { ListQuery, PageQuery, TracePage, TraceSummary } from "#shared/control-plane/traces.ts";
import { readSettings } from "./forward/settings.ts";
import { allShards, SHARDS } from "./shards.ts";
import type { SpanBatch } from "./otlp/span-record.ts";
import { Rows, storeBatches } from "./rows/store-batch.ts";
import { findSummary, listSummaries } from "./rows/summaries.ts";

const CLOSED_AT_ONCE = 5000;
const REMOVED_AT_ONCE = 50;
const RETRY_MS = 10_000;

interface Parts {
  readonly sql: SqlStorage;
  readonly rows: Rows;
  readonly forwarding: Forwarding;
  readonly retention: Retention;
}

export class Traces extends DurableObject<Env> implements TracesRpc {
  /** Mistakes in the settings that this isolate has logged. */
  static readonly #logged = new Set<string>();
  readonly #tables = new Tables(this.ctx.storage, MIGRATIONS, (sql) => this.#open(sql));
  readonly #alarm = new Alarm(this.ctx.storage);
  readonly #intake = new Intake(async (batches) => this.#storeAll(batches));

  /** Stores the batch as a whole. Resolves to the number of refused spans and the first reasons. */
  async store(batch: SpanBatch): Promise<{ count: number; reasons: readonly string[] }> {
    const { count, reasons } = await this.#intake.add(batch);
    return { count, reasons };
  }

  async #storeAll(batches: readonly SpanBatch[]): Promise<readonly Rejections[]> {
    const stored = await this.#commit(batches);
    for (const lost of batches.flatMap(interruptedIn)) await this.#closeOpen(lost);
    return stored;
  }

  /** Closes open spans of a lost agent provisionally, as errors. Resolves to their number. */
  async closeOpen(lost: LostAgent): Promise<number> {
    await this.#intake.flush();
    return this.#closeOpen(lost);
  }

  async #closeOpen(lost: LostAgent): Promise<number> {
    let count = 0;
    for (const trace of this.#parts.rows.traces.withOpenSpans(lost.traceId)) {
      for (let more = true; more;) {
        const closedNow = await this.#closeSome(trace, lost);
        count += closedNow;
        more = closedNow === CLOSED_AT_ONCE;
        if (more) await scheduler.wait(0);
      }
    }
    return count;
  }

  async #closeSome(trace: number, lost: LostAgent): Promise<number> {
    const open = this.#parts.rows.spans.open(trace, lost, CLOSED_AT_ONCE);
    const batch = closed(open, lost, Date.now());
    if (batch.spans.length > 0) await this.#commit([batch]);
    return batch.spans.length;
  }

  /** Stores all batches and sets the alarm for them, or does neither when it throws. */
  async #commit(batches: readonly SpanBatch[]): Promise<readonly Rejections[]> {
    try {
      // A synchronous transaction would be a savepoint within another one: SQLite would copy each page into a file
      // before it changes it.
      return await this.ctx.storage.transaction(async () => {
        const { rows, forwarding } = this.#parts;
        const rejected = storeBatches(rows, batches, forwarding.due, Date.now());
        await this.#schedule();
        return rejected;
      });
    } catch (error) {
      // Memory of what was undone goes, too.
      this.#alarm.rang();
      return this.#tables.transaction(() => {
        throw error;
      });
    }
  }

  /** Up to `query.limit` traces, newest first. */
  async list(query: ListQuery): Promise<TraceSummary[]> {
    await this.#intake.flush();
    return listSummaries(this.#parts.sql, query, Date.now());
  }

  /** JSON of a TracePage; undefined for an unknown trace. */
  async page(traceId: string, query: PageQuery): Promise<string | undefined> {
    await this.#intake.flush();
    const { sql } = this.#parts;
    const trace = findSummary(sql, traceId, Date.now());
    return trace && JSON.stringify({ trace, ...columnPage(sql, traceId, query) } satisfies TracePage);
  }

  /** JSON of an OtlpPage; undefined for an unknown trace. */
  async otlp(traceId: string, query: PageQuery): Promise<string | undefined> {
    await this.#intake.flush();
    const { sql, rows } = this.#parts;
    return rows.traces.find([traceId]).length === 0 ? undefined : otlpPage(sql, traceId, query);
  }

  /** Returns whether the trace existed. */
  async remove(traceId: string): Promise<boolean> {
    await this.#intake.flush();
    return this.#tables.transaction(({ rows }) => {
      const [trace] = rows.traces.find([traceId]);
      if (trace) rows.traces.remove(trace.number);
      return trace !== undefined;
    });
  }

  /** Deletes all traces that began before `us` (µs since the epoch), open ones too. Resolves to their number. */
  async removeBefore(us: number): Promise<number> {
    await this.#intake.flush();
    const numbers = this.#parts.rows.traces.before(us);
    await this.#removeAll(numbers);
    return numbers.length;
  }

  /** Bytes on disk. */
  size(): number {
    return this.#parts.sql.databaseSize;
  }

  /** See Retention. Called by the job's other objects. */
  oldest(bytes: number, force: boolean): PrunableTrace[] {
    return this.#parts.retention.oldest(bytes, force, Date.now());
  }

  /**
   * Deletes outdated traces (see Retention). Called by the job's other objects. Resolves to the number of traces not
   * yet forwarded.
   */
  async prune(untilUs: number, force: boolean): Promise<number> {
    const { numbers, waiting } = this.#parts.retention.outdated(untilUs, force, Date.now());
    await this.#removeAll(numbers);
    return waiting;
  }

  /** Does all that is due. After a crash the interrupted work is still due when the alarm is retried. */
  override async alarm(): Promise<void> {
    this.#alarm.rang();
    const { forwarding, retention } = this.#parts;
    try {
      await forwarding.run();
      await this.#removeAll(retention.tooOld(Date.now()).numbers);
      const job = this.#job;
      if (job !== undefined && retention.isLarge(SHARDS))
        await retention.pruneBySize(allShards(this.env, job), this.#log);
      await this.#schedule();
    } catch (error) {
      // The platform retries a failed alarm only a few times. With a pause: the work is still due, and would ring at once.
      this.#log(`An alarm failed and will ring again: ${reasonOf(error)}`);
      await this.#alarm.keepOrRingBy(Date.now() + RETRY_MS);
    }
  }

  get #parts(): Parts {
    return this.#tables.rows;
  }

  #open(sql: SqlStorage): Parts {
    const { settings, mistakes } = readSettings(this.env);
    for (const mistake of mistakes) {
      if (!Traces.#logged.has(mistake)) this.#log(mistake);
      Traces.#logged.add(mistake);
    }
    return {
      sql,
      rows: new Rows(sql),
      forwarding: new Forwarding(sql, settings, this.env.COLLECTOR ?? globalThis, this.#log),
      retention: new Retention(sql, settings),
    };
  }

  /** Deletes traces in portions, so that other calls run in between. */
  async #removeAll(numbers: readonly number[]): Promise<void> {
    for (let at = 0; at < numbers.length; at += REMOVED_AT_ONCE) {
      this.#tables.transaction(({ rows }) => {
        for (const number of numbers.slice(at, at + REMOVED_AT_ONCE)) rows.traces.remove(number);
        if (at + REMOVED_AT_ONCE >= numbers.length) rows.sources.prune();
      });
      await scheduler.wait(0);
    }
  }

  /** Sets the alarm for the next work that is due. */
  async #schedule(): Promise<void> {
    const { forwarding, retention } = this.#parts;
    const now = Date.now();
    const times = [forwarding.nextAt(), retention.nextAt(), retention.isLarge(SHARDS) ? now : undefined];
    const next = Math.min(...times.filter((time) => time !== undefined));
    if (!Number.isFinite(next)) return;
    await this.#alarm.keepOrRingBy(next);
  }

  /** From the object's name, `<job>/<shard>`. Some engines do not give the name to an alarm. */
  get #job(): string | undefined {
    const { name } = this.ctx.id;
    return name?.slice(0, name.lastIndexOf("/"));
  }

  readonly #log = (message: string): void => {
    console.warn(`[traces of ${this.#job ?? "a job"}] ${message}`);
  };
}
