// Deletes a job's oldest traces beyond an age and a size. Open traces and spans that wait for the collector stay,
// unless the size is more than twice the limit.
import type { Settings } from "./forward/settings.ts";
import type { TraceShard } from "./shards.ts";
import type { PrunableTrace } from "../rpc.ts";

const DAY_MS = 86_400_000;
/** Pause until traces that could not be deleted are checked again. */
const AGAIN_MS = 600_000;
/** Bytes of a span's rows and indexes, beside its JSON. */
const ROW_BYTES = 400;
const MAX_LISTED = 10_000;

/** Traces to delete. */
export interface Outdated {
  readonly numbers: readonly number[];
  /** How many of them have not been forwarded. */
  readonly waiting: number;
}

export class Retention {
  readonly #sql: SqlStorage;
  readonly #settings: Settings;
  /** This object's size when all sizes were last added up. */
  #checkedBytes = 0;
  #notBefore = 0;

  constructor(sql: SqlStorage, settings: Settings) {
    this.#sql = sql;
    this.#settings = settings;
  }

  /** When the oldest trace becomes too old, in ms since the epoch; undefined without traces. */
  nextAt(): number | undefined {
    const sql = "SELECT min(start_us) AS start_us FROM traces";
    const { start_us } = this.#sql.exec<{ start_us: number | null }>(sql).one();
    return start_us === null ? undefined : Math.max(start_us / 1000 + this.#settings.maxAgeMs, this.#notBefore);
  }

  /** Traces older than the limit. */
  tooOld(now: number): Outdated {
    if ((this.nextAt() ?? Number.POSITIVE_INFINITY) > now) return { numbers: [], waiting: 0 };
    this.#notBefore = now + AGAIN_MS;
    return this.outdated((now - this.#settings.maxAgeMs) * 1000, false, now);
  }

  /** Whether to add up the sizes of all objects: this one has more than its share, and has grown since. */
  isLarge(shards: number): boolean {
    const { databaseSize } = this.#sql;
    const { maxBytes } = this.#settings;
    return databaseSize > maxBytes / shards && databaseSize > this.#checkedBytes + maxBytes / 64;
  }

  /** Deletes the oldest traces of all objects of the job until the rest fits the limit. */
  async pruneBySize(shards: readonly TraceShard[], log: (message: string) => void): Promise<void> {
    const { maxBytes } = this.#settings;
    this.#checkedBytes = this.#sql.databaseSize;
    const sizes = await Promise.all(shards.map(async (shard) => shard.size()));
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (total <= maxBytes) return;
    const force = total > 2 * maxBytes;
    // A sixteenth more than necessary, so that not every batch prunes.
    const excess = total - maxBytes * (15 / 16);
    const candidates = await Promise.all(shards.map(async (shard) => shard.oldest(excess, force)));
    const untilUs = startOfLast(candidates.flat(), excess);
    if (untilUs === undefined) return;
    const counts = await Promise.all(shards.map(async (shard) => shard.prune(untilUs, force)));
    const waiting = counts.reduce((sum, count) => sum + count, 0);
    if (waiting > 0)
      log(`The traces took more than twice their limit, so ${waiting} were deleted before they were forwarded.`);
    this.#checkedBytes = this.#sql.databaseSize;
  }

  /**
   * The oldest traces that may be deleted, up to `bytes` together. `force` includes those that wait for the collector.
   */
  oldest(bytes: number, force: boolean, now: number): PrunableTrace[] {
    const weighed: PrunableTrace[] = [];
    let sum = 0;
    const rows = this.#sql.exec<{ start_us: number; bytes: number }>(
      `SELECT start_us, bytes + ${ROW_BYTES} * spans AS bytes FROM traces WHERE ${this.#mayGo(force)} ORDER BY start_us`,
      now,
    );
    for (const row of rows) {
      weighed.push({ startUs: row.start_us, bytes: row.bytes });
      sum += row.bytes;
      if (sum >= bytes || weighed.length === MAX_LISTED) break;
    }
    return weighed;
  }

  /** Traces that may be deleted and began at `untilUs` or before. */
  outdated(untilUs: number, force: boolean, now: number): Outdated {
    const rows = this.#sql
      .exec<{ number: number; waits: number }>(
        `SELECT number, due_at IS NOT NULL AS waits FROM traces WHERE ${this.#mayGo(force)} AND start_us <= ?2`,
        now,
        untilUs,
      )
      .toArray();
    const forwards = this.#settings.collector !== undefined;
    return {
      numbers: rows.map(({ number }) => number),
      waiting: forwards ? rows.filter(({ waits }) => waits === 1).length : 0,
    };
  }

  /** SQL condition; ?1 is now in ms. */
  #mayGo(force: boolean): string {
    const closed = `(root_duration_us >= 0 OR start_us < (?1 - ${DAY_MS}) * 1000)`;
    return force || !this.#settings.collector ? closed : `${closed} AND due_at IS NULL`;
  }
}

/** The start of the newest trace to delete, so that all up to it have `bytes` together. */
function startOfLast(candidates: PrunableTrace[], bytes: number): number | undefined {
  candidates.sort((a, b) => a.startUs - b.startUs);
  let sum = 0;
  for (const { startUs, bytes: own } of candidates) {
    sum += own;
    if (sum >= bytes) return startUs;
  }
  return candidates.at(-1)?.startUs;
}
