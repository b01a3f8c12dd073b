// Installs the peers where nothing of Troupe can depend on them: a folder of their own in the cache, one for each lock file.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const PROJECT = resolve(import.meta.dirname, "../../..");
const CACHE = join(PROJECT, "node_modules", ".cache", "troupe-bench-peers");
const FILES = ["package.json", "package-lock.json"];
const run = promisify(execFile);

/** Resolves to the folder that holds `node_modules`. May be repeated; from the second time on it needs no registry. */
export async function installPeers(): Promise<string> {
  const lock = await readFile(join(import.meta.dirname, "package-lock.json"));
  const folder = join(CACHE, createHash("sha256").update(lock).digest("hex").slice(0, 16));
  if (existsSync(folder)) return folder;
  console.error("Installing cloudflare/agents …");
  await mkdir(CACHE, { recursive: true });
  // Only what is complete gets its name.
  const unfinished = await mkdtemp(join(CACHE, "unfinished-"));
  try {
    for (const file of FILES) await cp(join(import.meta.dirname, file), join(unfinished, file));
    await npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], unfinished);
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** The npm that runs this script, else that of the PATH. */
async function npm(args: readonly string[], cwd: string): Promise<void> {
  const script = process.env["npm_execpath"];
  if (script === undefined) await run("npm", args, { cwd });
  else await run(process.execPath, [script, ...args], { cwd });
}
