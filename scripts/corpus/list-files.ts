// The files below a folder. Linked folders are followed once; what cannot be read stops nothing and is named.
import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

import { CliError } from "../terminal/cli-error.ts";
import type { LeftOut } from "./left-out.ts";

export interface Listing {
  /** Absolute, in the order of their paths. */
  readonly files: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** A folder with more is not one of documents, but a whole disk. */
const MOST_FILES = 100_000;

/** `root` is the folder as typed, for messages. Throws CliError when the folder itself is missing or unreadable, or too large. */
export async function listDocuments(folder: string, root: string): Promise<Listing> {
  const found = new Found(folder);
  const real = await realpath(folder).catch((error: unknown) => {
    throw unreadable(error, root);
  });
  // Real folders come before linked ones, so that a document has its own path where it has one.
  const queue = [{ path: folder, real }];
  const links: string[] = [];
  const visited = new Set<string>();
  while (queue.length > 0 || links.length > 0) {
    const next = queue.pop() ?? (await found.follow(links.pop() ?? "", real, visited));
    if (next === undefined || visited.has(next.real)) continue;
    visited.add(next.real);
    let entries;
    try {
      entries = await readdir(next.path, { withFileTypes: true });
    } catch (error) {
      if (next.path === folder) throw unreadable(error, root);
      found.leave(`${next.path}/`, fileError(error));
      continue;
    }
    for (const entry of entries) {
      const path = join(next.path, entry.name);
      const isHidden = entry.name.startsWith(".") || entry.name === "node_modules";
      if (entry.isDirectory() && isHidden) found.leave(`${path}/`, "is not looked into");
      else if (entry.isDirectory()) queue.push({ path, real: join(next.real, entry.name) });
      else if (entry.isSymbolicLink()) await found.link(path, isHidden, links);
      else if (entry.isFile()) found.files.push(path);
      else found.leave(path, "is no file");
    }
    if (found.files.length > MOST_FILES) {
      const advice = "Give --corpus a folder that holds documents only.";
      throw new CliError("bad_input", `The folder ${root} holds more than ${MOST_FILES} files.`, advice);
    }
  }
  return { files: found.files.toSorted(), leftOut: found.leftOut };
}

class Found {
  readonly files: string[] = [];
  readonly leftOut: LeftOut[] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  leave(path: string, reason: string): void {
    this.leftOut.push({ path: pathBelow(this.#folder, path), reason });
  }

  /** A link to a file is one; links to folders wait in `links`. */
  async link(path: string, isHidden: boolean, links: string[]): Promise<void> {
    try {
      const target = await stat(path);
      if (target.isFile()) this.files.push(path);
      else if (!target.isDirectory()) this.leave(path, "is a link to something that is no file");
      else if (isHidden) this.leave(`${path}/`, "is not looked into");
      else links.push(path);
    } catch (error) {
      this.leave(path, isMissing(error) ? "is a link that leads nowhere" : fileError(error));
    }
  }

  /** The linked folder, unless it was read already or holds the one that is being read. */
  async follow(
    path: string,
    root: string,
    visited: ReadonlySet<string>,
  ): Promise<{ path: string; real: string } | undefined> {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) this.leave(`${path}/`, "is a link that leads nowhere");
    else if (visited.has(real)) this.leave(`${path}/`, "is a link to a folder that is read already");
    else if (`${root}${sep}`.startsWith(real.endsWith(sep) ? real : `${real}${sep}`))
      this.leave(`${path}/`, "is a link to a folder above this one");
    else return { path, real };
    return undefined;
  }
}

/** With forward slashes on every system. */
export function pathBelow(folder: string, path: string): string {
  const below = relative(folder, path).split(sep).join("/");
  return /[\\/]$/.test(path) ? `${below}/` : below;
}

/** Why a file or folder cannot be read, to follow its name. */
export function fileError(error: unknown): string {
  const code = codeOf(error);
  if (code === "EACCES" || code === "EPERM") return "may not be read";
  if (code === "ENOENT") return "is gone since the folder was listed";
  return `cannot be read (${code})`;
}

function unreadable(error: unknown, folder: string): unknown {
  const code = codeOf(error);
  if (code === "ENOENT")
    return new CliError("bad_input", `There is no folder ${folder}.`, "Give --corpus a folder of documents.");
  if (code === "ENOTDIR")
    return new CliError("bad_input", `${folder} is a file, not a folder.`, "Give --corpus a folder of documents.");
  if (code === "EACCES" || code === "EPERM")
    return new CliError(
      "bad_input",
      `The folder ${folder} may not be read.`,
      "Change its permissions, or give another folder.",
    );
  return error;
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT" || codeOf(error) === "ELOOP";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "for an unknown reason";
}
