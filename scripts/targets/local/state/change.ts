// Allows one change of a job at a time: a second command waits for the first, and says so.
import { CliError } from "../../../terminal/cli-error.ts";
import type { Io } from "../../../terminal/io.ts";
import { jobLayout } from "./layout.ts";
import { LockedError, withLock } from "./lock.ts";

const PATIENCE_MS = 120_000;

/**
 * Runs `change` under the job's lock. Throws CliError when another command keeps the lock for two minutes. `withoutRoom`: runs it also
 * where the disk has no room for a lock.
 */
export async function changeJob<Result>(
  home: string,
  job: string,
  io: Io,
  change: () => Promise<Result>,
  { withoutRoom = false } = {},
): Promise<Result> {
  const { lock: path } = jobLayout(home, job);
  const onWait = ({ pid }: { readonly pid: number }): void => {
    io.note(`Another command (process ${pid}) is changing ${job}; waiting for it …`);
  };
  try {
    return await withLock(path, { patienceMs: PATIENCE_MS, onWait, signal: io.signal, withoutRoom }, change);
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    throw new CliError(
      "failed",
      `Another command (process ${error.pid}) is still changing ${job}.`,
      "Try again when it has ended.",
    );
  }
}
