// Lists the files below a folder. Follows each linked folder once; names what cannot be read, and continues.
import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

import { CliError } from "../terminal/cli-error.ts";
import type { LeftOut } from "./left-out.ts";

export interface Listing {
  /** Absolute, in the order of their paths. */
  readonly files: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** A folder with more is a whole disk, not a folder of documents. */
const MOST_FILES = 100_000;

/** `root` is the folder as typed, for messages. Throws CliError when the folder is missing, unreadable or too large. */
export async function listDocuments(folder: string, root: string): Promise<Listing> {
  const found = new Found(folder);
  const real = await realpath(folder).catch((error: unknown) => {
    throw unreadable(error, root);
  });
  // Real folders come before linked ones, so that a document gets its real path if possible.
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
      if (entry.isDirectory() && isHidden) found.leave(`${path}/`, "is not searched");
      else if (entry.isDirectory()) queue.push({ path, real: join(next.real, entry.name) });
      else if (entry.isSymbolicLink()) await found.link(path, isHidden, links);
      else if (entry.isFile()) found.files.push(path);
      else found.leave(path, "is not a file");
    }
    if (found.files.length > MOST_FILES) {
      const advice = "Give --corpus a folder of documents only.";
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

  /** A link to a file counts as a file; links to folders wait in `links`. */
  async link(path: string, isHidden: boolean, links: string[]): Promise<void> {
    try {
      const target = await stat(path);
      if (target.isFile()) this.files.push(path);
      else if (!target.isDirectory()) this.leave(path, "is a link to something other than a file");
      else if (isHidden) this.leave(`${path}/`, "is not searched");
      else links.push(path);
    } catch (error) {
      this.leave(path, linkError(error));
    }
  }

  /** The linked folder; undefined where it was read already, or contains the folder of documents. */
  async follow(
    path: string,
    root: string,
    visited: ReadonlySet<string>,
  ): Promise<{ path: string; real: string } | undefined> {
    let real: string;
    try {
      real = await realpath(path);
    } catch (error) {
      this.leave(`${path}/`, linkError(error));
      return undefined;
    }
    if (visited.has(real)) this.leave(`${path}/`, "is a link to a folder that is read already");
    else if (`${root}${sep}`.startsWith(real.endsWith(sep) ? real : `${real}${sep}`))
      this.leave(`${path}/`, "is a link to a folder above this one");
    else return { path, real };
    return undefined;
  }
}

/** A path below `folder`, with forward slashes on every system. */
export function pathBelow(folder: string, path: string): string {
  const below = relative(folder, path).split(sep).join("/");
  return /[\\/]$/.test(path) ? `${below}/` : below;
}

/** The reason why a file or folder cannot be read; continues a sentence after its name. */
export function fileError(error: unknown): string {
  const code = codeOf(error);
  if (code === "EACCES" || code === "EPERM") return "may not be read";
  if (code === "ENOENT") return "was removed while the folder was read";
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

function linkError(error: unknown): string {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ELOOP" ? "is a link that leads nowhere" : fileError(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "for an unknown reason";
}
