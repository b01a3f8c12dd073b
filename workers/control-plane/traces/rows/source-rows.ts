// Resources and scopes, each stored once: thousands of spans share one.
import type { Source } from "../otlp/span-record.ts";

/** How exact `used_at` is: written anew at most so often. */
const EXACT_MS = 3_600_000;

export class SourceRows {
  readonly #sql: SqlStorage;
  readonly #known = new Map<string, { readonly number: number; readonly usedAt: number }>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The number under which the source is stored, now at the latest. */
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

  /** Forgets sources that no span can have any more: those not used since the oldest trace came. */
  prune(): void {
    this.#known.clear();
    this.#sql.exec(
      "DELETE FROM sources WHERE used_at < (SELECT coalesce(min(created_at), ?1) FROM traces) - ?2",
      Date.now(),
      EXACT_MS,
    );
  }
}
