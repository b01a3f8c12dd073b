// Restricts the folder of deployment state to its owner: it holds conversations, logs and secrets. Older versions left
// it open.
import { chmod, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Troupe's entries of the folder. With any other entry the folder may be a shared one, and keeps its mode. */
const OWN: ReadonlySet<string> = new Set(["build", "cache", "chat", "control-plane", "cloudflare", "dev", "jobs"]);
const OTHERS = 0o077;

/**
 * Removes the rights of group and others, where the system has modes. May be repeated. Skips missing files and those of
 * other users.
 */
export async function keepPrivate(home: string): Promise<void> {
  if (process.platform === "win32") return;
  const entries = await readdir(home).catch(unlessForeign);
  if (entries === undefined) return;
  for (const name of entries) if (OWN.has(name)) await closeFolder(join(home, name));
  if (entries.every((name) => OWN.has(name))) await close(home);
}

/** Closes the folder last, so that the next command completes an interrupted run. */
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

/** Ignores a file that is gone or that this user may not change: the command that needs it reports it. */
function unlessForeign(error: unknown): undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR" || code === "EPERM" || code === "EACCES" || code === "EROFS")
    return undefined;
  throw error;
}
