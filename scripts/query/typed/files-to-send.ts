// Files of --file as A2A parts (A2A 1.0, section 4.1.6): the bytes, the name without its folder, and the media type.
import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";

import type { Part } from "@a2a-js/sdk";

import { CliError } from "../../terminal/cli-error.ts";
import { hasCode } from "../../terminal/system-error.ts";

/** An agent takes messages of 1 MB, as JSON, in which bytes are base64. */
const MOST_BYTES = 700_000;

const TYPES: Readonly<Record<string, string>> = {
  ".txt": "text/plain",
  ".md": "text/markdown",
  ".csv": "text/csv",
  ".html": "text/html",
  ".htm": "text/html",
  ".json": "application/json",
  ".xml": "application/xml",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".svg": "image/svg+xml",
};

/** Throws CliError for a file that cannot be read, and where all together are too large. */
export async function filesToSend(paths: readonly string[]): Promise<Part[]> {
  let size = 0;
  const parts: Part[] = [];
  for (const path of paths) {
    const bytes = await read(path);
    size += bytes.length;
    if (size > MOST_BYTES)
      throw new CliError(
        "bad_input",
        `${path} is too large: the files of one message may have ${MOST_BYTES / 1_000} kB together.`,
        "Send a part of it, or deploy the job with --corpus and the folder.",
      );
    parts.push({
      content: { $case: "raw", value: bytes },
      metadata: undefined,
      filename: basename(path),
      mediaType: TYPES[extname(path).toLowerCase()] ?? (isText(bytes) ? "text/plain" : "application/octet-stream"),
    });
  }
  return parts;
}

async function read(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    // A huge file is not read only to be refused.
    return size > MOST_BYTES ? Buffer.alloc(MOST_BYTES + 1) : await readFile(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) throw new CliError("bad_input", `There is no file ${path}.`);
    if (hasCode(error, "EISDIR")) throw new CliError("bad_input", `${path} is a folder: --file takes files.`);
    if (hasCode(error, "EACCES")) throw new CliError("bad_input", `${path} may not be read.`);
    throw error;
  }
}

function isText(bytes: Buffer): boolean {
  try {
    return !new TextDecoder("utf-8", { fatal: true }).decode(bytes).includes("\0");
  } catch {
    return false;
  }
}
