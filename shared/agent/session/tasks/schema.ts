// The table of a Session: one append-only log, because each table and index costs a new object a page and each turn a write. An entry
// begins a task, changes it, or is a step of it (entries.ts). States are the numbers of A2A's TaskState.
import type { Migration } from "../../../durable/migrations.ts";

/** `id`: the order of the entries. `task`: the entry that begins the task. `state` and `at` are null in a step. */
const ENTRY = `CREATE TABLE entry (
     id INTEGER PRIMARY KEY,
     task INTEGER NOT NULL,
     state INTEGER,
     at INTEGER,
     worked_ms INTEGER,
     context_id TEXT,
     n INTEGER,
     message_id TEXT,
     body TEXT NOT NULL
   )`;

export const MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE task (
     context_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     state INTEGER NOT NULL,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     trace_id TEXT NOT NULL,
     answer TEXT,
     problem TEXT,
     usage TEXT,
     PRIMARY KEY (context_id, n)
   ) WITHOUT ROWID;
   CREATE TABLE step (
     context_id TEXT NOT NULL,
     seq INTEGER NOT NULL,
     n INTEGER NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (context_id, seq)
   ) WITHOUT ROWID;`,
  // The task's spans, as JSON (task-trace.ts); null for older tasks.
  `ALTER TABLE task ADD COLUMN trace TEXT`,
  // What the next life needs to resume a task (task-row.ts): who asked, by which message, the turn's lives, when to wake. A step keeps the
  // milliseconds of work on its task so far.
  `ALTER TABLE task ADD COLUMN message_id TEXT;
   ALTER TABLE task ADD COLUMN asker TEXT;
   ALTER TABLE task ADD COLUMN life TEXT;
   ALTER TABLE task ADD COLUMN wake_at INTEGER;
   ALTER TABLE task ADD COLUMN result TEXT;
   ALTER TABLE step ADD COLUMN worked_ms INTEGER NOT NULL DEFAULT 0;
   CREATE UNIQUE INDEX task_by_message ON task (context_id, message_id) WHERE message_id IS NOT NULL;
   CREATE INDEX open_task ON task (state) WHERE state IN (1, 2, 6)`,
  tablesToLog,
];

/** The result of all migrations in one: each statement costs a new object time. */
export const FRESH = ENTRY;

type OldTask = Readonly<Record<"context_id" | "trace_id", string>> &
  Readonly<Record<"n" | "state" | "created_at" | "updated_at", number>> &
  Readonly<
    Record<"answer" | "problem" | "usage" | "trace" | "message_id" | "asker" | "life" | "result", string | null>
  > & {
    readonly wake_at: number | null;
  };

/** Writes each task as entries: its begin with the message, its other steps, and what became of it. Columns of JSON stay as they are. */
function tablesToLog(sql: SqlStorage): void {
  sql.exec(ENTRY);
  let id = 0;
  const keys = sql.exec<{ context_id: string; n: number }>("SELECT context_id, n FROM task").toArray();
  for (const { context_id, n } of keys) {
    const key = [context_id, n] as const;
    const old = sql.exec<OldTask>("SELECT * FROM task WHERE context_id = ? AND n = ?", ...key).one();
    const [first, ...steps] = sql
      .exec<{ body: string; worked_ms: number }>(
        "SELECT body, worked_ms FROM step WHERE context_id = ? AND n = ? ORDER BY seq",
        ...key,
      )
      .toArray();
    const task = ++id;
    const traceId = JSON.stringify(old.trace_id);
    sql.exec(
      "INSERT INTO entry (id, task, state, at, context_id, n, message_id, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      task,
      task,
      old.state,
      old.created_at,
      ...key,
      old.message_id,
      `{"traceId":${traceId},"trace":${old.trace},"asker":${old.asker},"first":${first?.body ?? null}}`,
    );
    for (const { body, worked_ms } of steps)
      sql.exec("INSERT INTO entry (id, task, worked_ms, body) VALUES (?, ?, ?, ?)", ++id, task, worked_ms, body);
    const [answer, problem] = [JSON.stringify(old.answer), JSON.stringify(old.problem)];
    const life = old.life === null ? "" : `"life":${old.life},`;
    sql.exec(
      "INSERT INTO entry (id, task, state, at, body) VALUES (?, ?, ?, ?, ?)",
      ++id,
      task,
      old.state,
      old.updated_at,
      `{${life}"wakeAt":${old.wake_at},"answer":${answer},"problem":${problem},"usage":${old.usage},"result":${old.result}}`,
    );
  }
  sql.exec("DROP TABLE task; DROP TABLE step");
}
