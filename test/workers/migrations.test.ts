import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { migrate, readVersion } from "#shared/durable/migrations.ts";

const MIGRATIONS = [
  "CREATE TABLE a (id INTEGER PRIMARY KEY)",
  "ALTER TABLE a ADD COLUMN name TEXT; INSERT INTO a (name) VALUES ('x')",
];

test("a new database runs every migration in order, once", async () => {
  const stub = env.SCRATCH.getByName("once");
  await runInDurableObject(stub, (_, state) => {
    migrate(state.storage.sql, MIGRATIONS);
    migrate(state.storage.sql, MIGRATIONS);
    expect(state.storage.sql.exec("SELECT name FROM a").toArray()).toEqual([{ name: "x" }]);
  });
});

test("a database that is behind runs only what was appended, also after an eviction", async () => {
  const stub = env.SCRATCH.getByName("behind");
  await runInDurableObject(stub, (_, state) => migrate(state.storage.sql, MIGRATIONS.slice(0, 1)));
  await evictDurableObject(stub);
  await runInDurableObject(stub, (_, state) => {
    expect(readVersion(state.storage.sql)).toBe(1);
    migrate(state.storage.sql, MIGRATIONS);
    expect(readVersion(state.storage.sql)).toBe(2);
  });
});

test("a database may have several schemas, each with a version of its own", async () => {
  await runInDurableObject(env.SCRATCH.getByName("two-schemas"), (_, { storage: { sql } }) => {
    migrate(sql, MIGRATIONS);
    const other = ["CREATE TABLE b (id INTEGER PRIMARY KEY)"];
    migrate(sql, other, { view: "other_version" });
    migrate(sql, other, { view: "other_version" });
    expect([readVersion(sql), readVersion(sql, "other_version")]).toEqual([2, 1]);
    migrate(sql, [...other, "ALTER TABLE b ADD COLUMN name TEXT"], { view: "other_version" });
    expect([readVersion(sql), readVersion(sql, "other_version")]).toEqual([2, 2]);
  });
});

test("a database that is up to date is read once and not written", async () => {
  const stub = env.SCRATCH.getByName("idle");
  await runInDurableObject(stub, (_, { storage: { sql } }) => {
    migrate(sql, MIGRATIONS);
    const statements: string[] = [];
    const spy: Pick<SqlStorage, "exec"> = {
      exec: (query, ...bindings) => {
        statements.push(query);
        return sql.exec(query, ...bindings);
      },
    };
    migrate(Object.assign(Object.create(sql), spy), MIGRATIONS);
    expect(statements).toHaveLength(1);
    expect(statements[0]).toMatch(/^SELECT/);
  });
});

test("a migration that fails throws and is tried again, those before it are kept", async () => {
  const stub = env.SCRATCH.getByName("fails");
  await runInDurableObject(stub, (_, state) => {
    expect(() => migrate(state.storage.sql, [...MIGRATIONS, "CREATE NONSENSE"])).toThrow(/syntax error/);
    expect(readVersion(state.storage.sql)).toBe(2);
    migrate(state.storage.sql, [...MIGRATIONS, "CREATE TABLE b (id)"]);
    expect(readVersion(state.storage.sql)).toBe(3);
  });
});

test("data newer than the code is refused instead of being misread", async () => {
  const stub = env.SCRATCH.getByName("newer");
  await runInDurableObject(stub, (_, state) => {
    migrate(state.storage.sql, MIGRATIONS);
    expect(() => migrate(state.storage.sql, MIGRATIONS.slice(0, 1))).toThrow(/schema version 2, this code knows 1/);
  });
});
