// Reads the documents of a folder, with a hash of each.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";

import { decodeText } from "#shared/text/decode.ts";

import { CliError } from "../terminal/cli-error.ts";
import type { Io } from "../terminal/io.ts";
import type { Containers } from "./containers.ts";
import { type DocumentType, type Kind, kindOf, noKind } from "./kinds.ts";
import { describeLeftOut, type LeftOut } from "./left-out.ts";
import { listDocuments, pathBelow, fileError } from "./list-files.ts";
import { progress } from "./progress.ts";

export interface Document {
  /** Path below the folder, with forward slashes. */
  readonly path: string;
  readonly type: DocumentType;
  readonly container: Kind["container"];
  /** Absolute path. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 of the bytes, in hex, followed by the encoding or container where the text is not UTF-8. */
  readonly hash: string;
}

export interface Corpus {
  /** The folder as typed, with forward slashes; `root/path` leads the user to a document. */
  readonly root: string;
  /** In the order of their paths. */
  readonly documents: readonly Document[];
  readonly leftOut: readonly LeftOut[];
}

/** A citation cannot show a name with such a character. */
const CONTROL_CHARACTER = /\p{Cc}/u;
const AT_ONCE = 16;
/** The searcher accepts no larger text. */
const MOST_TEXT_BYTES = 4 * 1024 * 1024;
const MOST_CONTAINER_BYTES = 64 * 1024 * 1024;
const MB = 1024 * 1024;

/**
 * Reads every document below `folder` once, to hash it. Files that are left out are named with a reason. Throws CliError when the
 * folder is missing, unreadable or holds no document.
 */
export async function readCorpus(folder: string, label: string, io: Io): Promise<Corpus> {
  const root = label
    .split("\\")
    .join("/")
    .replace(/(?<=.)\/+$/, "");
  const { files, leftOut: notListed } = await listDocuments(folder, root);
  const report = progress(io, `Reading ${root}`, files.length);
  const documents: Document[] = [];
  const leftOut = [...notListed];
  for (let start = 0; start < files.length; start += AT_ONCE) {
    io.signal.throwIfAborted();
    const batch = files.slice(start, start + AT_ONCE);
    for (const read of await Promise.all(batch.map(async (file) => readDocument(file, folder)))) {
      if ("reason" in read) leftOut.push(read);
      else documents.push(read);
    }
    report(start + batch.length);
  }
  if (documents.length === 0) {
    const found = files.length === 0 ? "is empty" : `holds ${files.length} files, but none of them is a document`;
    const reasons = leftOut.length === 0 ? "" : `\n${describeLeftOut(leftOut)}`;
    throw new CliError(
      "bad_input",
      `The folder ${root} ${found}.${reasons}`,
      "Documents are Markdown, text, HTML, PDF, docx, CSV, JSON and source code.",
    );
  }
  return { root, documents, leftOut };
}

/** The document's text, or the reason why there is none. */
export async function readText({ file, container }: Document, containers: Containers) {
  const bytes = await readFile(file);
  return container === undefined ? decodeText(bytes) : containers.textOf(new Uint8Array(bytes), container);
}

async function readDocument(file: string, folder: string): Promise<Document | LeftOut> {
  const path = pathBelow(folder, file);
  const leave = (reason: string): LeftOut => ({ path, reason });
  const kind = kindOf(file);
  if (kind === undefined) return leave(noKind(file));
  if (CONTROL_CHARACTER.test(path)) return leave("has a name with control characters");
  try {
    const most = kind.container === undefined ? MOST_TEXT_BYTES : MOST_CONTAINER_BYTES;
    if ((await stat(file)).size > most) return leave(`is larger than ${most / MB} MB`);
    const bytes = await readFile(file);
    const hash = createHash("sha256").update(bytes).digest("hex");
    const document = { path, ...kind, file, bytes: bytes.byteLength };
    if (kind.container !== undefined) return { ...document, hash: `${hash}-${kind.container}` };
    const decoded = decodeText(bytes);
    if ("reason" in decoded) return leave(decoded.reason);
    return { ...document, hash: decoded.encoding === "utf-8" ? hash : `${hash}-${decoded.encoding}` };
  } catch (error) {
    return leave(fileError(error));
  }
}
