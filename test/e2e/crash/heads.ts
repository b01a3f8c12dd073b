// How far the tasks of one session have come, read from a copy of its database in a moment, while its process is stopped.
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { taskStateFromJSON } from "@a2a-js/sdk";
import * as z from "zod";

import { isTerminal } from "#shared/a2a/message.ts";

const Columns = z.object({
  context_id: z.string(),
  n: z.int(),
  state: z.int(),
  steps: z.int(),
  kind: z.nullable(z.string()),
  lives: z.int(),
});

const QUERY = `SELECT begun.context_id, begun.n,
    (SELECT state FROM entry WHERE task = begun.id AND state IS NOT NULL ORDER BY id DESC LIMIT 1) AS state,
    1 + (SELECT COUNT(*) FROM entry WHERE task = begun.id AND state IS NULL) AS steps,
    IFNULL((SELECT body ->> 'kind' FROM entry WHERE task = begun.id AND state IS NULL ORDER BY id DESC LIMIT 1), 'user') AS kind,
    IFNULL((SELECT MAX(body -> 'life' ->> 'n') FROM entry WHERE task = begun.id AND state IS NOT NULL), 1) AS lives
  FROM entry AS begun WHERE begun.id = begun.task`;

/** What a task's log ends with, how long that is, and how often its turn was begun; `end` once it has come to its end. */
export interface Head {
  readonly at: string;
  readonly steps: number;
  readonly lives: number;
}

/** By context and number of the task. */
export type Heads = ReadonlyMap<string, Head>;

export function headName({ contextId, n }: { readonly contextId: string; readonly n: number }): string {
  return `${contextId}.${n}`;
}

/** `file`: path of the database; its write-ahead log lies beside it. Empty for a session that was never committed. */
export function headsOf(file: string): Heads {
  const folder = mkdtempSync(join(tmpdir(), "troupe-heads-"));
  try {
    const copy = join(folder, "copy");
    for (const end of ["", "-wal"]) if (existsSync(file + end)) copyFileSync(file + end, copy + end);
    using database = new DatabaseSync(copy);
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'entry'").all();
    if (tables.length === 0) return new Map();
    const rows = z.array(Columns).parse(database.prepare(QUERY).all());
    return new Map(
      rows.map(({ context_id: contextId, n, state, steps, kind, lives }) => [
        headName({ contextId, n }),
        { at: isTerminal(taskStateFromJSON(state)) ? "end" : (kind ?? ""), steps, lives },
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
