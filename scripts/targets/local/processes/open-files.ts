// Checks the limit of open files: connections and sessions need some each, and workerd ends when it has none left.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { CliError } from "../../../terminal/cli-error.ts";
import type { Io } from "../../../terminal/io.ts";

/** workerd cannot run a job with fewer. */
const LEAST = 256;
const PLENTY = 4_096;
/** The accepted socket, and its copy. */
const FILES_A_CONNECTION = 2;

/** The highest limit that a process may set for itself; undefined without a limit, or where it is unknown. */
async function hardLimit(): Promise<number | undefined> {
  if (process.platform === "win32") return undefined;
  const { stdout } = await promisify(execFile)("sh", ["-c", "ulimit -Hn"]);
  return /^\d+\s*$/.test(stdout) ? Number(stdout) : undefined;
}

/** Throws CliError where the limit is too low for any job; notes a low limit. */
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
    `A process may have only ${limit} files open here: at about ${connections} connections it ends and is restarted. ${raise}`,
  );
}
