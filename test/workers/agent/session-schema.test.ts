import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { FRESH, MIGRATIONS } from "#shared/agent/session/tasks/schema.ts";
import { migrate } from "#shared/durable/migrations.ts";
import { SessionStore } from "#shared/agent/session/tasks/store.ts";

test("a new session has the tables, columns and indexes of one that went through all migrations", async () => {
  const created = await schemaOf("schema-created", (sql) => migrate(sql, MIGRATIONS, { fresh: FRESH }));
  const migrated = await schemaOf("schema-migrated", (sql) => migrate(sql, MIGRATIONS));
  expect(Object.keys(migrated.tables)).toEqual(["entry"]);
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

test("a session that an older version wrote is read as it was: who asked, the steps, and what has become of each task", async () => {
  const rows = await runInDurableObject(env.SCRATCH.getByName("schema-older"), (_, { storage: { sql } }) => {
    migrate(sql, MIGRATIONS.slice(0, -1));
    const trace = { traceId: "t2", spanId: "s", parentSpanId: null, turnSpanId: "u", source: "client", isQuery: true };
    const known = { ...trace, method: "SendMessage", messageId: "m2", isRecorded: true };
    const usage = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 };
    const ended = [
      "c",
      1,
      3,
      10,
      20,
      "t1",
      'an "answer"',
      null,
      JSON.stringify(usage),
      null,
      null,
      null,
      null,
      null,
      null,
    ];
    const asker = JSON.stringify({ principal: "local", chain: [], query: "q" });
    const life = JSON.stringify({ n: 2, strikes: 1, steps: 2 });
    const open = ["c", 2, 6, 30, 40, "t2", null, null, null, JSON.stringify(known), "m2", asker, life, 99, null];
    for (const row of [ended, open])
      sql.exec(
        `INSERT INTO task (context_id, n, state, created_at, updated_at, trace_id, answer, problem, usage, trace, message_id, asker, life,
           wake_at, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...row,
      );
    const steps = [
      [1, 0, { kind: "user", text: "first" }, 0],
      [1, 1, { kind: "note", about: "context", text: "noted" }, 5],
      [2, 2, { kind: "user", text: "second" }, 0],
      [2, 3, { kind: "tool_start", toolUseId: "call" }, 7],
    ] as const;
    for (const [n, seq, step, workedMs] of steps)
      sql.exec(
        "INSERT INTO step (context_id, seq, n, body, worked_ms) VALUES ('c', ?, ?, ?, ?)",
        seq,
        n,
        JSON.stringify(step),
        workedMs,
      );
    const store = new SessionStore(sql);
    return {
      tasks: [store.task({ contextId: "c", n: 1 }), store.task({ contextId: "c", n: 2 })],
      open: store.openTasks().map(({ n }) => n),
      byMessage: store.taskOfMessage("c", "m2")?.n,
      log: store.threadLog({ contextId: "c", n: 2 }),
    };
  });
  expect(rows.tasks).toMatchObject([
    {
      n: 1,
      state: 3,
      createdAt: 10,
      updatedAt: 20,
      traceId: "t1",
      trace: null,
      asker: null,
      answer: 'an "answer"',
      usage: { outputTokens: 2 },
    },
    {
      n: 2,
      state: 6,
      createdAt: 30,
      updatedAt: 40,
      traceId: "t2",
      messageId: "m2",
      life: { n: 2, strikes: 1 },
      wakeAt: 99,
      answer: null,
    },
  ]);
  expect([rows.open, rows.byMessage]).toEqual([[2], 2]);
  expect(rows.log).toEqual({
    steps: [
      { kind: "user", text: "first" },
      { kind: "note", about: "context", text: "noted" },
      { kind: "user", text: "second" },
      { kind: "tool_start", toolUseId: "call" },
    ],
    begin: 2,
    workedMs: 7,
    isWhole: true,
  });
});
