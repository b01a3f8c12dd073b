// The tables of a Session. They are two, because each costs a new object a page: peers' threads, found agents and approvals are steps.
// States are the numbers of A2A's TaskState: 1 submitted, 2 working, 6 input-required.
export const MIGRATIONS = [
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
] as const;

/** The result of all migrations in one: each statement costs a new object time. */
export const FRESH = `CREATE TABLE task (
     context_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     state INTEGER NOT NULL,
     created_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     trace_id TEXT NOT NULL,
     answer TEXT,
     problem TEXT,
     usage TEXT,
     trace TEXT,
     message_id TEXT,
     asker TEXT,
     life TEXT,
     wake_at INTEGER,
     result TEXT,
     PRIMARY KEY (context_id, n)
   ) WITHOUT ROWID;
   CREATE TABLE step (
     context_id TEXT NOT NULL,
     seq INTEGER NOT NULL,
     n INTEGER NOT NULL,
     body TEXT NOT NULL,
     worked_ms INTEGER NOT NULL DEFAULT 0,
     PRIMARY KEY (context_id, seq)
   ) WITHOUT ROWID;
   CREATE UNIQUE INDEX task_by_message ON task (context_id, message_id) WHERE message_id IS NOT NULL;
   CREATE INDEX open_task ON task (state) WHERE state IN (1, 2, 6)`;
