// Reads files that users write, after a check of their size.
import { open, stat } from "node:fs/promises";

import type { Mistake } from "./mistake.ts";

const MAX_BYTES = 1024 * 1024;

export type ReadResult = { readonly text: string } | { readonly mistakes: Mistake[] };

/** The text, or a mistake for a file that is too large or not UTF-8. Throws for one that cannot be opened. */
export async function readTextFile(path: string, file: string, kind: "job file" | "host file"): Promise<ReadResult> {
  const mistake = (message: string, hint: string): ReadResult => ({
    mistakes: [{ file, line: 1, column: 1, message, hint }],
  });
  const about = await stat(path);
  // Opening a pipe would wait until a process writes to it.
  if (!about.isFile() && !about.isDirectory()) return mistake("this is not a file", "Copy its content into a file.");
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    if (size > MAX_BYTES) {
      const shown = (size / MAX_BYTES).toFixed(1);
      return mistake(`the file has ${shown} MB; a ${kind} may have 1 MB`, "Is this the right file?");
    }
    const bytes = await handle.readFile();
    try {
      return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return mistake("the file is not UTF-8 text", "Save it as UTF-8.");
    }
  } finally {
    await handle.close();
  }
}
