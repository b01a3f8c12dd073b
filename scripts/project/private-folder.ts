// The folder of deployment state is its owner's alone: it holds conversations, logs and secrets. One from before that was so is mended.
import { chmod, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** What lies in the folder. Anything else in it is not ours, and then the folder itself may be somebody's shared one. */
const OWN: ReadonlySet<string> = new Set(["build", "control-plane", "jobs"]);
const OTHERS = 0o077;

/** Takes everybody else's rights away, where the system knows modes. What is not there, or belongs to another user, stays as it is. */
export async function keepPrivate(home: string): Promise<void> {
  if (process.platform === "win32") return;
  const entries = await readdir(home).catch(unlessForeign);
  if (entries === undefined) return;
  for (const name of entries) if (OWN.has(name)) await closeFolder(join(home, name));
  if (entries.every((name) => OWN.has(name))) await close(home);
}

/** The folder last: an interrupted run is made good by the next. */
async function closeFolder(folder: string): Promise<void> {
  if (!(await isOpen(folder))) return;
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true }).catch(unlessForeign)) ?? [];
  for (const entry of entries) if (!entry.isSymbolicLink()) await close(join(entry.parentPath, entry.name));
  await close(folder);
}

async function isOpen(path: string): Promise<boolean> {
  const found = await lstat(path).catch(unlessForeign);
  return found !== undefined && !found.isSymbolicLink() && (found.mode & OTHERS) !== 0;
}

async function close(path: string): Promise<void> {
  const found = await lstat(path).catch(unlessForeign);
  if (found === undefined || (found.mode & OTHERS) === 0) return;
  await chmod(path, found.mode & 0o700).catch(unlessForeign);
}

/** Gone meanwhile, or not ours to change: whoever needs it will say so. */
function unlessForeign(error: unknown): undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR" || code === "EPERM" || code === "EACCES" || code === "EROFS")
    return undefined;
  throw error;
}
