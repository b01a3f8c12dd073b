// The documents of a folder: which files they are, and by which hash each version is known.
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";

import { CliError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { progress } from "./progress.ts";

export type DocumentType = "md" | "txt" | "html";

export interface Document {
  /** Path below the folder, forward slashes. */
  readonly path: string;
  readonly type: DocumentType;
  /** Absolute path. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 of the bytes, in hex. */
  readonly hash: string;
}

export interface Corpus {
  /** The folder as typed, forward slashes: joined with a document's path, it is where the user finds the document. */
  readonly root: string;
  /** In the order of their paths. */
  readonly documents: readonly Document[];
  /** Files passed over: of other types, binary, unreadable, or with a name that cannot be shown. */
  readonly skipped: number;
}

const TYPES: Readonly<Record<string, DocumentType>> = {
  ".md": "md",
  ".markdown": "md",
  ".txt": "txt",
  ".html": "html",
  ".htm": "html",
};
/** No citation could show such a name. */
const CONTROL_CHARACTER = /\p{Cc}/u;
const SAMPLE_BYTES = 8_192;
const AT_ONCE = 16;

/**
 * Reads every document below `folder` once, to hash it; hidden folders and node_modules are left out, links to folders
 * not followed. Throws CliError when the folder is missing, unreadable or holds no text.
 */
export async function readCorpus(folder: string, label: string, io: Io): Promise<Corpus> {
  const root = label
    .split("\\")
    .join("/")
    .replace(/(?<=.)\/+$/, "");
  const files = await listFiles(folder, root);
  const candidates = files.filter((file) => typeOf(file) !== undefined);
  const report = progress(io, `Reading ${root}`, candidates.length);
  const documents: Document[] = [];
  for (let start = 0; start < candidates.length; start += AT_ONCE) {
    io.signal.throwIfAborted();
    const batch = candidates.slice(start, start + AT_ONCE);
    const read = await Promise.all(batch.map(async (file) => readDocument(file, folder)));
    documents.push(...read.filter((document) => document !== undefined));
    report(start + batch.length);
  }
  if (documents.length === 0) {
    const found = files.length === 0 ? "is empty" : `holds ${files.length} files, but none of them is text`;
    throw new CliError(
      "bad_input",
      `The folder ${root} ${found}.`,
      "Documents are .md, .markdown, .txt, .html and .htm files.",
    );
  }
  return { root, documents, skipped: files.length - documents.length };
}

async function listFiles(folder: string, root: string): Promise<string[]> {
  const files: string[] = [];
  const folders = [folder];
  for (let current = folders.pop(); current !== undefined; current = folders.pop()) {
    let entries;
    try {
      entries = await readdir(current, { withFileTypes: true });
    } catch (error) {
      throw unreadable(error, current === folder ? root : current);
    }
    for (const entry of entries) {
      const path = join(current, entry.name);
      const hidden = entry.name.startsWith(".") || entry.name === "node_modules";
      if (entry.isDirectory() && !hidden) folders.push(path);
      else if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path)))) files.push(path);
    }
  }
  return files.toSorted();
}

async function readDocument(file: string, folder: string): Promise<Document | undefined> {
  const type = typeOf(file);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch {
    // Unreadable or gone since it was listed: counted as skipped.
    return undefined;
  }
  // Text holds no zero byte; what does is binary whatever its name says.
  if (type === undefined || bytes.subarray(0, SAMPLE_BYTES).includes(0)) return undefined;
  const path = relative(folder, file).split(sep).join("/");
  if (CONTROL_CHARACTER.test(path)) return undefined;
  return { path, type, file, bytes: bytes.byteLength, hash: createHash("sha256").update(bytes).digest("hex") };
}

function typeOf(file: string): DocumentType | undefined {
  return TYPES[extname(file).toLowerCase()];
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function unreadable(error: unknown, folder: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT")
    return new CliError("bad_input", `There is no folder ${folder}.`, "Give --corpus a folder of documents.");
  if (code === "ENOTDIR")
    return new CliError("bad_input", `${folder} is a file, not a folder.`, "Give --corpus a folder of documents.");
  if (code === "EACCES" || code === "EPERM")
    return new CliError(
      "bad_input",
      `The folder ${folder} may not be read.`,
      "Change its permissions, or give another folder.",
    );
  return error;
}
