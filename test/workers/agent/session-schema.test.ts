import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { FRESH, MIGRATIONS } from "#shared/agent/session/schema.ts";
import { migrate } from "#shared/durable/migrations.ts";

test("a new session has the tables, columns and indexes of one that went through all migrations", async () => {
  const created = await schemaOf("schema-created", (sql) => migrate(sql, MIGRATIONS, FRESH));
  const migrated = await schemaOf("schema-migrated", (sql) => migrate(sql, MIGRATIONS));
  expect(Object.keys(migrated.tables)).toEqual(["step", "task"]);
  expect(created).toEqual(migrated);
});

async function schemaOf(name: string, make: (sql: SqlStorage) => void) {
  return runInDurableObject(env.SCRATCH.getByName(name), (_, { storage: { sql } }) => {
    make(sql);
    const all = sql
      .exec<{ type: string; name: string; sql: string | null }>(
        "SELECT type, name, sql FROM sqlite_schema ORDER BY name",
      )
      .toArray()
      .filter(({ name }) => !name.startsWith("_cf_"));
    const tables = all.filter(({ type }) => type === "table");
    return {
      tables: Object.fromEntries(
        tables.map((table) => [
          table.name,
          {
            isRowless: table.sql?.includes("WITHOUT ROWID"),
            columns: sql.exec(`PRAGMA table_info(${table.name})`).toArray(),
          },
        ]),
      ),
      rest: all.filter(({ type }) => type !== "table").map(({ type, name, sql: text }) => ({ type, name, sql: text })),
    };
  });
}
