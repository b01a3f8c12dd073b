// The rows of a job's keys. Revoked and expired ones stay until their room is needed. Synchronous.
import * as z from "zod";
import { type Account, isExpired, type Key, MAX_KEYS, type NewKey, Scope } from "#shared/control-plane/keys.ts";
import { parseJson } from "#shared/text/parse-json.ts";

export const MIGRATIONS = [
  `CREATE TABLE keys (
     hash TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     account TEXT NOT NULL,
     scopes TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER,
     revoked_at INTEGER
   ) WITHOUT ROWID`,
] as const;

const Row = z.object({
  name: z.string(),
  account: z.string(),
  scopes: z.string(),
  created_at: z.number(),
  expires_at: z.number().nullable(),
  revoked_at: z.number().nullable(),
});
type Row = z.infer<typeof Row>;

const COUNTS = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)";

export class KeyRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whether a key of this name counts now. */
  counts(name: string, now: number): boolean {
    return this.#sql.exec(`SELECT 1 FROM keys WHERE name = ? AND ${COUNTS}`, name, now).toArray().length > 0;
  }

  /** Removes keys that count no more where there are too many in all. Returns whether there is room for another. */
  makeRoom(now: number): boolean {
    if (this.#count() < MAX_KEYS) return true;
    this.#sql.exec(`DELETE FROM keys WHERE NOT (${COUNTS})`, now);
    return this.#count() < MAX_KEYS;
  }

  add(hash: string, { name, scopes, as, expiresAt }: NewKey, now: number): Key {
    const row = {
      name,
      account: as ?? name,
      scopes: JSON.stringify(scopes),
      created_at: now,
      expires_at: expiresAt === undefined ? null : Date.parse(expiresAt),
      revoked_at: null,
    };
    const { account, created_at, expires_at } = row;
    this.#sql.exec(
      "INSERT INTO keys (hash, name, account, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
      hash,
      name,
      account,
      row.scopes,
      created_at,
      expires_at,
    );
    return toKey(row);
  }

  list(): Key[] {
    return this.#sql
      .exec("SELECT * FROM keys ORDER BY name, created_at DESC")
      .toArray()
      .map((row) => toKey(Row.parse(row)));
  }

  revoke(name: string, now: number): boolean {
    const known = this.#sql.exec("SELECT 1 FROM keys WHERE name = ?", name).toArray().length > 0;
    this.#sql.exec("UPDATE keys SET revoked_at = ? WHERE name = ? AND revoked_at IS NULL", now, name);
    return known;
  }

  account(hash: string, now: number): Account | undefined {
    const [row] = this.#sql.exec("SELECT * FROM keys WHERE hash = ? AND revoked_at IS NULL", hash).toArray();
    const key = row && toKey(Row.parse(row));
    if (!key || isExpired(key, now)) return undefined;
    const { name, account, scopes, expiresAt } = key;
    return { name, account, scopes, expiresAt };
  }

  #count(): number {
    return this.#sql.exec<{ count: number }>("SELECT count(*) AS count FROM keys").one().count;
  }
}

function toKey({ name, account, scopes, created_at, expires_at, revoked_at }: Row): Key {
  return {
    name,
    account,
    scopes: z.array(Scope).parse(parseJson(scopes)),
    createdAt: iso(created_at),
    expiresAt: expires_at === null ? null : iso(expires_at),
    revokedAt: revoked_at === null ? null : iso(revoked_at),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
