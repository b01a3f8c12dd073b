// Finds databases whose beginning is overwritten, so that SQLite cannot open them, and sets them aside; all others stay
// in use. Reads synchronously, which is faster for a few bytes of ten thousand files.
import { closeSync, openSync, readdirSync, readSync, renameSync, statSync } from "node:fs";
import { basename, join } from "node:path";

import type { Io } from "../../../terminal/io.ts";
import { hasCode } from "../../../terminal/system-error.ts";

const DATABASE = ".sqlite";
const MAGIC = Buffer.from("SQLite format 3\0");
const HEADER_BYTES = 100;
/** https://sqlite.org/fileformat2.html#walformat */
const WAL_MAGIC = 0x377f0682;
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const SALT = { from: 16, to: 24 };
const FRAME_SALT = { from: 8, to: 16 };
/** Holds the alarms of all objects of a class. */
const ALARMS = "metadata.sqlite";

/** Paths of the damaged databases below `folder`, which may be missing. A database in use never counts as damaged. */
export function findDamaged(folder: string): string[] {
  return filesBelow(folder).filter((path) => path.endsWith(DATABASE) && isDamaged(path));
}

/** Renames the databases with their logs, and notes each one. No process may have them open. */
export function setAside(damaged: readonly string[], io: Io): void {
  const time = new Date().toISOString().replaceAll(/[:.]/g, "-");
  for (const path of damaged) {
    const aside = `${path}.damaged-${time}`;
    // The name of the database first: SQLite then finds its log beside it.
    for (const end of ["", "-wal", "-shm"]) renameIfThere(path + end, aside + end);
    const held = basename(path) === ALARMS ? "Its alarms are lost" : "A new one starts empty";
    io.note(
      `The database ${path} is damaged and was set aside as ${basename(aside)}. ${held}; everything else is kept.`,
    );
  }
}

function isDamaged(path: string): boolean {
  if (statSync(path).size === 0) return false;
  return !isHeader(readBytes(path, 0, HEADER_BYTES)) && !isInLog(`${path}-wal`);
}

/** https://sqlite.org/fileformat2.html#the_database_header */
function isHeader(bytes: Buffer): boolean {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return false;
  const size = bytes.readUInt16BE(16);
  const isPageSize = size === 1 || (size >= 512 && (size & (size - 1)) === 0);
  return isPageSize && bytes[21] === 64 && bytes[22] === 32 && bytes[23] === 32;
}

/** Whether the write-ahead log holds the first page: SQLite reads that page there, not in the database. */
function isInLog(path: string): boolean {
  const log = readBytes(path, 0, WAL_HEADER_BYTES);
  if (log.length < WAL_HEADER_BYTES || (log.readUInt32BE(0) & ~1) >>> 0 !== WAL_MAGIC) return false;
  const salt = log.subarray(SALT.from, SALT.to);
  const pageBytes = log.readUInt32BE(8);
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  let isFirstPage = false;
  for (let at = WAL_HEADER_BYTES; ; at += frameBytes) {
    const frame = readBytes(path, at, FRAME_HEADER_BYTES + HEADER_BYTES);
    // The end of the log, or a frame of an earlier log in the same file.
    if (frame.length < FRAME_HEADER_BYTES + HEADER_BYTES) return false;
    if (!frame.subarray(FRAME_SALT.from, FRAME_SALT.to).equals(salt)) return false;
    isFirstPage ||= frame.readUInt32BE(0) === 1 && isHeader(frame.subarray(FRAME_HEADER_BYTES));
    const isCommitted = frame.readUInt32BE(4) !== 0;
    if (isFirstPage && isCommitted) return true;
  }
}

/** Fewer than `length` bytes at the end of the file; none without a file. */
function readBytes(path: string, at: number, length: number): Buffer {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return Buffer.alloc(0);
    throw error;
  }
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, at));
  } finally {
    closeSync(file);
  }
}

function filesBelow(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}
