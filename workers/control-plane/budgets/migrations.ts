// The tables of a Budget object. An account is found by its query; its entries lie together, since each call adds them up.
// What an entry's columns hold is what counts at the moment: set aside while open or cut, really used when settled, nothing when released.

export const MIGRATIONS = [
  `CREATE TABLE accounts (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     query TEXT NOT NULL UNIQUE,
     limits TEXT NOT NULL,
     opened_at INTEGER NOT NULL,
     changed_at INTEGER NOT NULL,
     exhausted TEXT,
     needed REAL NOT NULL DEFAULT 0
   );
   CREATE INDEX accounts_by_change ON accounts (changed_at);
   CREATE TABLE entries (
     account INTEGER NOT NULL,
     kind TEXT NOT NULL,
     id TEXT NOT NULL,
     agent TEXT NOT NULL,
     task TEXT NOT NULL,
     life INTEGER NOT NULL,
     state TEXT NOT NULL,
     at INTEGER NOT NULL,
     max_tokens INTEGER NOT NULL,
     turns INTEGER NOT NULL,
     tokens INTEGER NOT NULL,
     pico INTEGER NOT NULL,
     tool_calls INTEGER NOT NULL,
     PRIMARY KEY (account, kind, id)
   ) WITHOUT ROWID`,
] as const;
