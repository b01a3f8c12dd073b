// Job files on disk: the size is looked at before the content.
import { open, stat } from "node:fs/promises";

import type { Mistake } from "./mistake.ts";

/** A job file may be at most this large. */
const MAX_JOB_BYTES = 1024 * 1024;

export type ReadResult = { readonly text: string } | { readonly mistakes: Mistake[] };

/** The text of a job file. A file that is too large, or not UTF-8, is a mistake; one that cannot be opened throws. */
export async function readJobFile(path: string, file = path): Promise<ReadResult> {
  const mistake = (message: string, hint: string): ReadResult => ({
    mistakes: [{ file, line: 1, column: 1, message, hint }],
  });
  const about = await stat(path);
  // A pipe is waited for until somebody writes into it.
  if (!about.isFile() && !about.isDirectory()) return mistake("this is not a file", "Copy what it holds into one.");
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    if (size > MAX_JOB_BYTES) {
      const shown = (size / MAX_JOB_BYTES).toFixed(1);
      return mistake(`the file has ${shown} MB; a job file has at most 1 MB`, "Is this the right file?");
    }
    const bytes = await handle.readFile();
    try {
      return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return mistake("not YAML: the file is not UTF-8 text", "Save it as UTF-8.");
    }
  } finally {
    await handle.close();
  }
}
