// The tables of push notifications, made with the first config of a session.
import type { Migration } from "../../../durable/migrations.ts";

/** Names their version: that of the session's log has another. */
export const VIEW = "push_schema_version";

/** `legacy`: 1 for clients of A2A 0.3. `sent`: the last event that was delivered or given up. `tries`, `due_at`: of the event after it. */
export const MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE push_config (
     context_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     id TEXT NOT NULL,
     url TEXT NOT NULL,
     token TEXT NOT NULL,
     scheme TEXT NOT NULL,
     credentials TEXT NOT NULL,
     legacy INTEGER NOT NULL,
     sent INTEGER NOT NULL,
     tries INTEGER NOT NULL,
     due_at INTEGER NOT NULL,
     PRIMARY KEY (context_id, n, id)
   ) WITHOUT ROWID;
   CREATE TABLE push_event (
     context_id TEXT NOT NULL,
     n INTEGER NOT NULL,
     id INTEGER NOT NULL,
     body TEXT NOT NULL,
     legacy INTEGER NOT NULL,
     PRIMARY KEY (context_id, n, id)
   ) WITHOUT ROWID`,
];
