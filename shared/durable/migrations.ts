// Runs a Durable Object's schema migrations, an append-only list. The version is stored in the definition of a view:
// workerd forbids `PRAGMA user_version`, and a table would cost every new object another B-tree.

const VERSION_VIEW = "schema_version";

/** What a schema has beside its migrations. */
export interface Schema {
  /** The newest schema at once: a new database runs it instead of all migrations. */
  readonly fresh?: string;
  /** Names the version, where a database has several schemas. */
  readonly view?: string;
}

/** SQL statements, or a synchronous function for what SQL alone cannot do. */
export type Migration = string | ((sql: SqlStorage) => void);

/**
 * Brings the database to the newest schema. May be repeated: when nothing is to do, it costs one read and no write.
 * `migrations[n]` leads from version n to n + 1; never edit, reorder or remove one that shipped. Synchronous: commits
 * together with the caller's next write, if the caller does not await in between. Throws what SQLite throws, and keeps
 * the migrations before the failing one. Throws, too, when the database is newer than this code.
 */
export function migrate(
  sql: SqlStorage,
  migrations: readonly Migration[],
  { fresh, view = VERSION_VIEW }: Schema = {},
): void {
  const from = readVersion(sql, view);
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
    if (from > 0) sql.exec(`DROP VIEW ${view}`);
    if (version > 0) sql.exec(`CREATE VIEW ${view} AS SELECT ${version} AS version`);
  }
}

/** The number of migrations that the database has run; 0 for a new database. */
export function readVersion(sql: SqlStorage, view = VERSION_VIEW): number {
  const [row] = sql
    .exec<{ sql: string }>("SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?", view)
    .toArray();
  const version = row && /SELECT (\d+) AS version/.exec(row.sql)?.[1];
  return version === undefined ? 0 : Number(version);
}
