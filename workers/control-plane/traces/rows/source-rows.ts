// Resources and scopes. Each pair is stored once, because thousands of spans share it.
import type { Source } from "../otlp/span-record.ts";

/** `used_at` is updated at most this often. */
const EXACT_MS = 3_600_000;

export class SourceRows {
  readonly #sql: SqlStorage;
  readonly #known = new Map<string, { readonly number: number; readonly usedAt: number }>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The number of the source. Stores the source first when it is new. */
  number({ resource, scope, agent, instance }: Source, now: number): number {
    const key = `${resource}\n${scope}`;
    const known = this.#known.get(key);
    if (known && known.usedAt > now - EXACT_MS) return known.number;
    const { number } = this.#sql
      .exec<{ number: number }>(
        `INSERT INTO sources (agent, instance, used_at, resource, scope) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (resource, scope) DO UPDATE SET used_at = excluded.used_at RETURNING number`,
        agent,
        instance,
        now,
        resource,
        scope,
      )
      .one();
    this.#known.set(key, { number, usedAt: now });
    return number;
  }

  /** Deletes sources that no span uses: those last used before the oldest trace came. */
  prune(): void {
    this.#known.clear();
    this.#sql.exec(
      "DELETE FROM sources WHERE used_at < (SELECT coalesce(min(created_at), ?1) FROM traces) - ?2",
      Date.now(),
      EXACT_MS,
    );
  }
}
