// The user's own documents: mirrors one folder as passages, with their tokens in a full-text index. A passage's number
// is made of its file's number and its place in the file.
import { DurableObject } from "cloudflare:workers";
import type { Migration } from "#shared/durable/migrations.ts";
import { Tables } from "#shared/durable/tables.ts";
import type { Passage } from "#shared/retrieval/passages.ts";
import { indexTokens } from "#shared/retrieval/tokens.ts";
import { SLICE_CHARS, withPauses } from "#shared/text/slices.ts";
import type { CorpusFile, Upload } from "./corpus-schema.ts";
import { readDocument } from "./document.ts";
import { matchOf } from "./index-query.ts";

/** SQLite knows no language: it gets tokens, and only splits them. */
const MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE files (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     path TEXT NOT NULL UNIQUE,
     hash TEXT NOT NULL,
     root TEXT NOT NULL
   );
   CREATE VIRTUAL TABLE passages USING fts5(title, body, tokenize='porter unicode61 remove_diacritics 2')`,
  (sql) => {
    sql.exec(`CREATE TABLE texts (number INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL);
      CREATE VIRTUAL TABLE tokens USING fts5(
        title, body,
        content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 0 categories 'L* N* M* Co'"
      )`);
    let last = -1;
    for (let rows = readOldPassages(sql, last); rows.length > 0; rows = readOldPassages(sql, last)) {
      for (const { number, title, body } of rows) {
        putPassage(sql, number, toIndexed(title, body));
        last = number;
      }
    }
    sql.exec("DROP TABLE passages");
  },
];
/** Passages moved to the new tables at once. */
const MOVED_AT_ONCE = 500;

/** Passages of one file; an upload cannot hold more. */
const PER_FILE = 65_536;
/** Characters, and passages of one file, that one transaction writes: others wait for it. */
const CHARS_AT_ONCE = 400_000;
const PASSAGES_AT_ONCE = 400;
/** Weight of a hit in the title; a hit in the text has 1. */
const TITLE_WEIGHT = 4;
/** Weight of each further hit in the same file, compared with the one before. */
const REPEATED = 0.6;
/** Hits read for each result, to find some in different files. */
const CANDIDATES_PER_RESULT = 5;

/** A passage with its tokens, as the index stores them. */
interface IndexedPassage {
  readonly title: string;
  readonly body: string;
  readonly titleTokens: string;
  readonly bodyTokens: string;
}

interface IndexedFile {
  readonly file: CorpusFile;
  readonly passages: readonly IndexedPassage[];
}

export interface FoundPassage extends Passage {
  /** Higher is better; comparable within one search only. */
  readonly score: number;
}

type Hit = { file: number; title: string; text: string; path: string; root: string; score: number };

export class Corpus extends DurableObject {
  readonly #tables = new Tables(this.ctx.storage, MIGRATIONS, (sql) => sql);
  /** The uploads so far: one comes after the other. */
  #putting = Promise.resolve();

  /** Path and hash of every indexed file. */
  manifest(): { path: string; hash: string }[] {
    return this.#sql.exec<{ path: string; hash: string }>("SELECT path, hash FROM files ORDER BY path").toArray();
  }

  /**
   * Adds or replaces files, and names `root` as the folder of all. May be repeated. Of a path given twice, the last file counts.
   * Where it breaks off, each file is whole, as before, or without a hash, so that it is sent again.
   */
  async put(upload: Upload): Promise<void> {
    const before = this.#putting;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#putting = promise;
    await before;
    try {
      await withPauses(this.#putAll(upload));
    } finally {
      resolve();
    }
  }

  /** Removes files. Ignores unknown paths. */
  async remove(paths: string[]): Promise<void> {
    await this.#putting;
    this.#tables.transaction((sql) => {
      for (const path of paths) {
        const [file] = sql
          .exec<{ number: number }>("DELETE FROM files WHERE path = ? RETURNING number", path)
          .toArray();
        if (file) this.#removePassages(file.number);
      }
    });
  }

  /** The passages that match the question best, preferably of different files. Empty without a match. */
  search(query: string, limit: number): FoundPassage[] {
    const match = matchOf(query);
    if (match === undefined) return [];
    const hits = this.#sql.exec<Hit>(
      `SELECT files.number AS file, title, body AS text, path, root, score
       FROM (SELECT rowid AS number, -bm25(tokens, ${TITLE_WEIGHT}, 1.0) AS score
             FROM tokens WHERE tokens MATCH ? ORDER BY score DESC LIMIT ?) AS hits
       JOIN texts ON texts.number = hits.number
       JOIN files ON files.number = hits.number / ${PER_FILE}
       ORDER BY score DESC`,
      match,
      limit * CANDIDATES_PER_RESULT,
    );
    return preferDifferentFiles(hits.toArray()).slice(0, limit).map(toPassage);
  }

  /** Yields where others may have their turn. */
  *#putAll({ root, files }: Upload): Generator<undefined, void> {
    this.#tables.transaction((sql) => sql.exec("UPDATE files SET root = ?1 WHERE root <> ?1", root));
    let waiting: IndexedFile[] = [];
    let chars = 0;
    for (const file of new Map(files.map((one) => [one.path, one])).values()) {
      const passages = yield* indexed(file);
      const own = passages.reduce((sum, { body }) => sum + body.length, 0);
      if (chars + own > CHARS_AT_ONCE) {
        this.#putTogether(root, waiting);
        waiting = [];
        chars = 0;
        yield;
      }
      if (own > CHARS_AT_ONCE) yield* this.#putInParts(root, file, passages);
      else waiting.push({ file, passages });
      chars = waiting.length === 0 ? 0 : chars + own;
    }
    this.#putTogether(root, waiting);
  }

  #putTogether(root: string, files: readonly IndexedFile[]): void {
    this.#tables.transaction((sql) => {
      // All rows before all passages: some statements open a savepoint, at which SQLite flushes the index.
      const rows = files.map(({ file, passages }) => ({ number: this.#putRow(root, file), passages }));
      for (const { number, passages } of rows) putPassages(sql, number, passages, 0);
    });
  }

  /** A file that is too large for one transaction has its hash with the last one. */
  *#putInParts(root: string, file: CorpusFile, passages: readonly IndexedPassage[]): Generator<undefined, void> {
    const number = this.#tables.transaction(() => this.#putRow(root, { ...file, hash: "" }));
    for (let from = 0; from < passages.length; from += PASSAGES_AT_ONCE) {
      yield;
      this.#tables.transaction((sql) => putPassages(sql, number, passages.slice(from, from + PASSAGES_AT_ONCE), from));
    }
    this.#sql.exec("UPDATE files SET hash = ? WHERE number = ?", file.hash, number);
  }

  /** Writes the file's row and removes its old passages. Returns the file's number. */
  #putRow(root: string, { path, hash }: Pick<CorpusFile, "path" | "hash">): number {
    const sql = this.#sql;
    const [before] = sql.exec<{ number: number }>("SELECT number FROM files WHERE path = ?", path).toArray();
    if (before) {
      sql.exec("UPDATE files SET hash = ? WHERE number = ?", hash, before.number);
      this.#removePassages(before.number);
      return before.number;
    }
    const insert = "INSERT INTO files (path, hash, root) VALUES (?, ?, ?) RETURNING number";
    return sql.exec<{ number: number }>(insert, path, hash, root).one().number;
  }

  #removePassages(file: number): void {
    const first = file * PER_FILE;
    this.#sql.exec("DELETE FROM tokens WHERE rowid BETWEEN ? AND ?", first, first + PER_FILE - 1);
    this.#sql.exec("DELETE FROM texts WHERE number BETWEEN ? AND ?", first, first + PER_FILE - 1);
  }

  get #sql(): SqlStorage {
    return this.#tables.rows;
  }
}

/** The passages of a file. Yields after each slice of it. */
function* indexed(file: CorpusFile): Generator<undefined, IndexedPassage[]> {
  const { title, passages } = yield* readDocument(file);
  const found: IndexedPassage[] = [];
  let read = 0;
  for (const body of passages.slice(0, PER_FILE)) {
    found.push(toIndexed(title, body));
    read += title.length + body.length;
    if (read < SLICE_CHARS) continue;
    read = 0;
    yield;
  }
  return found;
}

function toIndexed(title: string, body: string): IndexedPassage {
  return { title, body, titleTokens: indexTokens(title).join(" "), bodyTokens: indexTokens(body).join(" ") };
}

/** `from`: the place of the first of these passages in its file. */
function putPassages(sql: SqlStorage, file: number, passages: readonly IndexedPassage[], from: number): void {
  for (const [index, passage] of passages.entries()) putPassage(sql, file * PER_FILE + from + index, passage);
}

function putPassage(sql: SqlStorage, number: number, { title, body, titleTokens, bodyTokens }: IndexedPassage): void {
  sql.exec("INSERT INTO texts (number, title, body) VALUES (?, ?, ?)", number, title, body);
  sql.exec("INSERT INTO tokens (rowid, title, body) VALUES (?, ?, ?)", number, titleTokens, bodyTokens);
}

function readOldPassages(sql: SqlStorage, after: number): { number: number; title: string; body: string }[] {
  return sql
    .exec<{ number: number; title: string; body: string }>(
      "SELECT rowid AS number, title, body FROM passages WHERE rowid > ? ORDER BY rowid LIMIT ?",
      after,
      MOVED_AT_ONCE,
    )
    .toArray();
}

/** Sorts hits, with a lower weight for each further hit in the same file. */
function preferDifferentFiles<Of extends { file: number; score: number }>(hits: readonly Of[]): Of[] {
  const seen = new Map<number, number>();
  const ranked = hits.map((hit) => {
    const turn = seen.get(hit.file) ?? 0;
    seen.set(hit.file, turn + 1);
    return { hit, worth: hit.score * REPEATED ** turn };
  });
  return ranked.toSorted((a, b) => b.worth - a.worth).map(({ hit }) => hit);
}

function toPassage({ title, text, path, root, score }: Hit): FoundPassage {
  const folder = root.replace(/[\\/]+$/, "");
  return { title, text, score, source: folder === "" ? path : `${folder}/${path}` };
}
