// Tables of a Traces object. A span's `seq` is its row number: a change moves the row to the end, so pages of changes
// and the forwarding queue are ranges of `seq`. Spans have one index only, because each index adds a tenth to the cost
// of storing. JSON is the last column, so that other columns are read without it.

export const MIGRATIONS = [
  `CREATE TABLE sources (
     number INTEGER PRIMARY KEY,
     agent TEXT NOT NULL,
     instance TEXT NOT NULL,
     used_at INTEGER NOT NULL,
     resource TEXT NOT NULL,
     scope TEXT NOT NULL,
     UNIQUE (resource, scope)
   );
   CREATE TABLE traces (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     trace_id TEXT NOT NULL UNIQUE,
     created_at INTEGER NOT NULL,
     changed_at INTEGER NOT NULL,
     start_us INTEGER NOT NULL,
     end_us INTEGER NOT NULL DEFAULT 0,
     root_span TEXT NOT NULL DEFAULT '',
     root_rank INTEGER NOT NULL DEFAULT 3,
     root_start_us INTEGER NOT NULL DEFAULT 0,
     root_duration_us INTEGER NOT NULL DEFAULT -1,
     root_status INTEGER NOT NULL DEFAULT 0,
     kind TEXT NOT NULL DEFAULT 'other',
     name TEXT NOT NULL DEFAULT '',
     agent TEXT NOT NULL DEFAULT '',
     agents TEXT NOT NULL DEFAULT '[]',
     text TEXT NOT NULL DEFAULT '',
     spans INTEGER NOT NULL DEFAULT 0,
     open_spans INTEGER NOT NULL DEFAULT 0,
     errors INTEGER NOT NULL DEFAULT 0,
     model_calls INTEGER NOT NULL DEFAULT 0,
     input_tokens INTEGER NOT NULL DEFAULT 0,
     output_tokens INTEGER NOT NULL DEFAULT 0,
     cost REAL NOT NULL DEFAULT 0,
     priced INTEGER NOT NULL DEFAULT 0,
     bytes INTEGER NOT NULL DEFAULT 0,
     ended_seq INTEGER NOT NULL DEFAULT 0,
     forwarded_seq INTEGER NOT NULL DEFAULT 0,
     due_at INTEGER
   );
   CREATE INDEX traces_by_start ON traces (start_us);
   CREATE INDEX traces_by_due ON traces (due_at) WHERE due_at IS NOT NULL;
   CREATE INDEX traces_with_open_spans ON traces (number) WHERE open_spans > 0;
   CREATE TABLE trace_texts (
     trace INTEGER PRIMARY KEY,
     root TEXT NOT NULL DEFAULT '',
     errors TEXT NOT NULL DEFAULT ''
   );
   CREATE TABLE spans (
     seq INTEGER PRIMARY KEY,
     trace INTEGER NOT NULL,
     source INTEGER NOT NULL,
     span_id TEXT NOT NULL,
     parent_id TEXT NOT NULL,
     name TEXT NOT NULL,
     kind INTEGER NOT NULL,
     start_us INTEGER NOT NULL,
     duration_us INTEGER NOT NULL,
     status INTEGER NOT NULL,
     message TEXT NOT NULL,
     provisional INTEGER NOT NULL,
     operation TEXT NOT NULL,
     input_tokens INTEGER,
     output_tokens INTEGER,
     cost REAL,
     bytes INTEGER NOT NULL,
     json TEXT NOT NULL
   );
   CREATE UNIQUE INDEX spans_by_id ON spans (trace, span_id);
   CREATE TABLE collector (
     number INTEGER PRIMARY KEY,
     failures INTEGER NOT NULL,
     retry_at INTEGER NOT NULL
   )`,
] as const;
