// Keeps spans that could not be delivered: OTLP requests in the Beacon's storage, oldest first.
import { migrate } from "../../durable/migrations.ts";

const MIGRATIONS = [
  `CREATE TABLE kept_spans (
     request INTEGER NOT NULL,
     part INTEGER NOT NULL,
     bytes BLOB NOT NULL,
     PRIMARY KEY (request, part)
   ) WITHOUT ROWID`,
];

/** A row holds 2 MB. */
const PART_BYTES = 1_000_000;
/** Beyond this, the oldest requests are dropped. */
export const MAX_KEPT_BYTES = 256 * 1024 * 1024;

export class KeptSpans {
  readonly #sql: SqlStorage;
  readonly #maxBytes: number;
  #bytes: number | undefined;

  constructor(sql: SqlStorage, maxBytes = MAX_KEPT_BYTES) {
    this.#sql = sql;
    this.#maxBytes = maxBytes;
  }

  /** Returns how many older requests were dropped. */
  add(request: Uint8Array): number {
    const known = this.#size();
    const { next } = this.#sql
      .exec<{ next: number }>("SELECT ifnull(max(request), 0) + 1 AS next FROM kept_spans")
      .one();
    for (let part = 0; part * PART_BYTES < request.byteLength; part++) {
      const bytes = request.slice(part * PART_BYTES, (part + 1) * PART_BYTES);
      this.#sql.exec("INSERT INTO kept_spans (request, part, bytes) VALUES (?, ?, ?)", next, part, bytes);
    }
    this.#bytes = known + request.byteLength;
    let dropped = 0;
    for (; this.#bytes > this.#maxBytes; dropped++) {
      const oldest = this.oldest();
      if (!oldest) break;
      this.remove(oldest);
    }
    return dropped;
  }

  oldest(): { readonly id: number; readonly request: Uint8Array<ArrayBuffer> } | undefined {
    if (this.#size() === 0) return undefined;
    const rows = this.#sql
      .exec<{ request: number; bytes: ArrayBuffer }>(
        "SELECT request, bytes FROM kept_spans WHERE request = (SELECT min(request) FROM kept_spans) ORDER BY part",
      )
      .toArray();
    const [first] = rows;
    if (!first) return undefined;
    const request = new Uint8Array(rows.reduce((size, { bytes }) => size + bytes.byteLength, 0));
    let offset = 0;
    for (const { bytes } of rows) {
      request.set(new Uint8Array(bytes), offset);
      offset += bytes.byteLength;
    }
    return { id: first.request, request };
  }

  /** May be repeated. */
  remove({ id }: { readonly id: number }): void {
    const removed = this.#sql
      .exec<{ size: number }>("DELETE FROM kept_spans WHERE request = ? RETURNING length(bytes) AS size", id)
      .toArray();
    this.#bytes = removed.reduce((left, { size }) => left - size, this.#size());
  }

  /** Puts a request behind all others: one that the trace store refuses must not hold up the rest. */
  postpone({ id }: { readonly id: number }): void {
    this.#sql.exec("UPDATE kept_spans SET request = (SELECT max(request) + 1 FROM kept_spans) WHERE request = ?", id);
  }

  #size(): number {
    if (this.#bytes === undefined) {
      migrate(this.#sql, MIGRATIONS);
      this.#bytes = this.#sql
        .exec<{ size: number }>("SELECT ifnull(sum(length(bytes)), 0) AS size FROM kept_spans")
        .one().size;
    }
    return this.#bytes;
  }
}
