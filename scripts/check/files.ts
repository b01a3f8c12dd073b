// The project's own files, for guards that read them: not what is installed, built or only there to break a rule.
import { readdir } from "node:fs/promises";
import { join } from "node:path";

const SKIPPED = new Set(["node_modules", ".git", ".troupe", ".wrangler", "dist", "test/fixtures"]);

/** Paths below `root`, with `/` on every platform, in the order of their names. */
export async function listFiles(root: string, folder = ""): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const lists = await Promise.all(
    entries.map(async (entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (SKIPPED.has(path)) return [];
      if (entry.isDirectory()) return listFiles(root, path);
      return entry.isFile() ? [path] : [];
    }),
  );
  return lists.flat();
}
