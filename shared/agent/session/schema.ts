// Tables of a Session. Two, because each costs a new object a page: peers' threads and found agents are steps.
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
  // The task's spans, as JSON (task-span.ts); null for tasks that were older than they.
  `ALTER TABLE task ADD COLUMN trace TEXT`,
] as const;
