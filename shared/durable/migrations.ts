// Runs a Durable Object's schema migrations: an ordered list that is only ever appended to.
// The version lives in the definition of a view, because workerd forbids `PRAGMA user_version`, a table would cost a new
// object another B-tree, and the definition can be read from `sqlite_schema` even where nothing has been created yet.

const VERSION_VIEW = "schema_version";

/** SQL statements, or a function for what SQL alone cannot do; it may read and write, but not wait. */
export type Migration = string | ((sql: SqlStorage) => void);

/**
 * Brings the database to the newest schema. Call it before the first read or write of an object, from any method, as often
 * as you like: when nothing is to do it is one read and no write, so it may also run in a constructor of an object that exists.
 * `migrations[n]` leads from version n to n + 1; never edit, reorder or remove one that shipped.
 * Synchronous; without an `await` around it all of it commits together with the caller's first write.
 * Throws what SQLite throws; migrations before the failing one are then kept and counted.
 * `fresh`, where given, is what all migrations come to: a new database runs it instead of them.
 * Throws too when the database is newer than this code (an older version was deployed over a newer one).
 */
export function migrate(sql: SqlStorage, migrations: readonly Migration[], fresh?: string): void {
  const from = readVersion(sql);
  if (from === migrations.length) return;
  if (from > migrations.length) {
    throw new Error(
      `The stored data has schema version ${from}, this code knows ${migrations.length}: deploy the newer version again.`,
    );
  }
  let version = from;
  try {
    if (from === 0 && fresh !== undefined) {
      sql.exec(fresh);
      version = migrations.length;
    }
    for (const migration of migrations.slice(version)) {
      if (typeof migration === "string") sql.exec(migration);
      else migration(sql);
      version += 1;
    }
  } finally {
    if (from > 0) sql.exec(`DROP VIEW ${VERSION_VIEW}`);
    if (version > 0) sql.exec(`CREATE VIEW ${VERSION_VIEW} AS SELECT ${version} AS version`);
  }
}

/** The number of migrations that the database has seen; 0 for a new one. */
export function readVersion(sql: SqlStorage): number {
  const [row] = sql
    .exec<{ sql: string }>("SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?", VERSION_VIEW)
    .toArray();
  const version = row && /SELECT (\d+) AS version/.exec(row.sql)?.[1];
  return version === undefined ? 0 : Number(version);
}
