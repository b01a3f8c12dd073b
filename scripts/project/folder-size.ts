// Sizes of files and folders.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../terminal/system-error.ts";

/** Bytes of all files below `folder`. */
export async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => fileBytes(join(file.parentPath, file.name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Bytes of a file; 0 for a missing one. */
export async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return 0;
    throw error;
  }
}
