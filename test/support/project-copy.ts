// A copy of the project whose sources a test may change. It shares the installed packages.
import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";

const PROJECT = join(import.meta.dirname, "../..");
const COPIED = ["jobs", "scripts", "shared", "workers", "package.json", "package-lock.json", "wrangler.toml"];

/** Resolves to the folder, which is made below `parent`. */
export async function copyProject(parent: string): Promise<string> {
  const folder = join(parent, "project");
  await mkdir(folder);
  for (const name of COPIED) await cp(join(PROJECT, name), join(folder, name), { recursive: true });
  await symlink(join(PROJECT, "node_modules"), join(folder, "node_modules"));
  return folder;
}
