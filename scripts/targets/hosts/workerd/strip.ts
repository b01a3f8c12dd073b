// Takes the symbols out of a workerd binary, which makes it a third smaller.
import { execFile } from "node:child_process";
import { rename, rm } from "node:fs/promises";
import { promisify } from "node:util";

import { type Architecture, TRIPLES } from "./architecture.ts";

const exec = promisify(execFile);

/** Debian's package with a program that strips binaries of this architecture. */
export function stripPackage(architecture: Architecture): string {
  return `binutils-${TRIPLES[architecture].replaceAll("_", "-")}`;
}

/** Puts a stripped copy in place, whole. False where no program of this machine can make it. */
export async function strip(
  source: string,
  to: string,
  architecture: Architecture,
  signal: AbortSignal,
): Promise<boolean> {
  const isOwn = process.platform === "linux" && process.arch === architecture;
  const aside = `${to}.part`;
  for (const program of [...(isOwn ? ["strip"] : []), `${TRIPLES[architecture]}-strip`, "llvm-strip"]) {
    try {
      await exec(program, ["-o", aside, source], { signal });
      await rename(aside, to);
      return true;
    } catch {
      // It is missing, or knows no such binaries.
      signal.throwIfAborted();
      await rm(aside, { force: true });
    }
  }
  return false;
}
