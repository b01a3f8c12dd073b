// Identifies and ends processes. A pid is not enough, since the system uses it again later: an identity is a pid and
// the start time of its process.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import * as z from "zod";
import { hasCode } from "../../../terminal/system-error.ts";

export const ProcessIdentity = z.object({
  pid: z.int().positive(),
  /** Start time in the system's own form; only compared. */
  started: z.string(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

const run = promisify(execFile);
const GRACE_MS = 5_000;
const POLL_MS = 15;

/** Identity of a running process; undefined when no process has this pid, or only a zombie. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  if (!exists(pid)) return undefined;
  const started = await startOf(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether the process of this identity still runs. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  const now = await identify(identity.pid);
  return now !== undefined && now.started === identity.started;
}

/** Sends SIGTERM, and SIGKILL after a grace period of five seconds. Resolves when the process is gone. May be repeated. */
export async function endProcess(identity: ProcessIdentity): Promise<void> {
  for (const [signal, patienceMs] of [["SIGTERM", GRACE_MS] as const, ["SIGKILL", GRACE_MS] as const]) {
    if (!(await isRunning(identity))) return;
    signalProcess(identity.pid, signal);
    const deadline = Date.now() + patienceMs;
    while (Date.now() < deadline) {
      if (!(await isRunning(identity))) return;
      await delay(POLL_MS);
    }
  }
  throw new Error(`The process ${identity.pid} does not end`);
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // The process ended before the signal.
    if (!hasCode(error, "ESRCH")) throw error;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

async function startOf(pid: number): Promise<string | undefined> {
  switch (process.platform) {
    case "linux":
      return startOnLinux(pid);
    case "win32":
      return output("powershell.exe", ["-NoProfile", "-Command", `(Get-Process -Id ${pid}).StartTime.Ticks`]);
    default:
      return output("ps", ["-o", "lstart=", "-p", String(pid)]);
  }
}

/** Clock ticks since boot. The program's name may hold spaces and brackets, so fields count from its end. */
async function startOnLinux(pid: number): Promise<string | undefined> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ESRCH")) return undefined;
    throw error;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  return state === "Z" || state === "X" ? undefined : fields[19];
}

async function output(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run(command, args, { windowsHide: true, env: { ...process.env, LC_ALL: "C" } });
    return stdout.trim() === "" ? undefined : stdout.trim();
  } catch (error) {
    // Both programs exit with 1 where no process has the pid; another code is a fault of the machine.
    if (hasCode(error, 1)) return undefined;
    throw error;
  }
}
