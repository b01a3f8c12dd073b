// Damaged databases are told from those that SQLite still opens, on real files that SQLite wrote.
import { closeSync, copyFileSync, openSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { afterEach, beforeEach, expect, test } from "vitest";

import { findDamaged, setAside } from "../../../../../../scripts/targets/local/state/damaged.ts";
import { recordedIo } from "../../../io.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-damaged-"));
  path = join(folder, "session.sqlite");
});
afterEach(async () => rm(folder, { recursive: true }));

/** A database of one row; with a log that was never written back where `killed`. */
function write({ killed = false } = {}): void {
  const source = killed ? join(folder, "live") : path;
  using database = new DatabaseSync(source);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE task (id TEXT); INSERT INTO task VALUES ('one')");
  if (killed) for (const end of ["", "-wal"]) copyFileSync(source + end, path + end);
}

function overwriteStart(bytes = 4096): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(bytes, "garbage"), 0, bytes, 0);
  closeSync(file);
}

function opens(): boolean {
  try {
    using database = new DatabaseSync(path);
    return database.prepare("SELECT id FROM task").get() !== undefined;
  } catch {
    return false;
  }
}

test.each([
  ["4 kB of garbage at its start", 4096],
  ["one wrong byte", 1],
])("a database with %s is damaged: SQLite does not open it", (_, bytes) => {
  write();
  expect(findDamaged(folder)).toEqual([]);
  overwriteStart(bytes);
  expect([opens(), findDamaged(folder)]).toEqual([false, [path]]);
});

test("one whose first page is in the log of a killed process is not damaged: SQLite takes it from there", () => {
  write({ killed: true });
  overwriteStart();
  expect(findDamaged(folder)).toEqual([]);
  expect(opens()).toBe(true);
});

test("one whose log is of no use either is damaged", () => {
  write({ killed: true });
  overwriteStart();
  writeFileSync(`${path}-wal`, Buffer.alloc(8192, "garbage"));
  expect([findDamaged(folder), opens()]).toEqual([[path], false]);
});

test.each([
  ["an empty one, as a crash right after its making leaves it", ""],
  ["a file that is no database", undefined],
])("%s is left alone", (_, content) => {
  if (content === undefined) writeFileSync(join(folder, "lock"), "garbage");
  else writeFileSync(path, content);
  expect(findDamaged(folder)).toEqual([]);
});

test("a damaged one is set aside with its log, under a name that opens nothing, and named", () => {
  write({ killed: true });
  overwriteStart();
  writeFileSync(`${path}-wal`, "garbage");
  writeFileSync(join(folder, "metadata.sqlite"), "garbage");
  const io = recordedIo();
  setAside(findDamaged(folder), io);
  const names = readdirSync(folder).filter((name) => !name.startsWith("live"));
  const aside = /^(?:session|metadata)\.sqlite\.damaged-[\dTZ-]+(?:-wal)?$/;
  expect(names.map((name) => aside.test(name))).toEqual([true, true, true]);
  expect(findDamaged(folder)).toEqual([]);
  expect(io.notes).toHaveLength(2);
  expect(io.notes.join("\n")).toContain(`The database ${path} is damaged`);
  expect(io.notes.join("\n")).toContain("Its alarms are lost");
});

test("a folder that is not there holds none", () => {
  expect(findDamaged(join(folder, "none"))).toEqual([]);
});
