// How many files a process may have open: every connection and every session needs some, and workerd ends when there are none left.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { CliError } from "../../../terminal/cli-error.ts";
import type { Io } from "../../../terminal/io.ts";

/** With fewer, workerd does not get far. */
const LEAST = 256;
const PLENTY = 4_096;
/** Of each connection: what is accepted, and its copy. */
const FILES_A_CONNECTION = 2;

/** The limit that a process may raise its own to; undefined where there is none, or it cannot be told. */
async function hardLimit(): Promise<number | undefined> {
  if (process.platform === "win32") return undefined;
  const { stdout } = await promisify(execFile)("sh", ["-c", "ulimit -Hn"]);
  return /^\d+\s*$/.test(stdout) ? Number(stdout) : undefined;
}

/** Throws CliError when no job can run with the limit of this shell; notes one that is soon reached. */
export async function checkOpenFiles(io: Io, read: () => Promise<number | undefined> = hardLimit): Promise<void> {
  const limit = await read();
  if (limit === undefined || limit >= PLENTY) return;
  const raise = "Raise it for this user (LimitNOFILE, or nofile in /etc/security/limits.conf), then log in again.";
  if (limit < LEAST) {
    throw new CliError(
      "failed",
      `A process may have only ${limit} files open here; a job needs ${LEAST} or more.`,
      raise,
    );
  }
  const connections = Math.floor(limit / FILES_A_CONNECTION);
  io.note(
    `A process may have only ${limit} files open here: one with about ${connections} connections ends, and is started again. ${raise}`,
  );
}
