// A workerd under a supervisor: a shell script (supervise.sh) that outlives the command, starts workerd again when it ends by itself,
// and tells what it did. In its room lie `supervisor` (its lock), `report.json`, `end` (the last lines of the log at the last end),
// `healthy` (there once all agents answered) and `machine/disk.json`, which the Workers read.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import type { RestartPolicy } from "#jobs/schema.ts";
import { parseJson } from "#shared/text/parse-json.ts";
import { CliError } from "../../cli-error.ts";
import type { ProcessLayout } from "./layout.ts";
import { acquireLock, lockHolder } from "./lock.ts";
import { endProcess, identify, type ProcessIdentity } from "./process.ts";
import { type Started, startDetached, startWorkerd, workerdBinary } from "./workerd.ts";
import { lastWords } from "./last-words.ts";
import type { ProcessStatus } from "../target.ts";

const SCRIPT = join(import.meta.dirname, "supervise.sh");
const WAKE = join(import.meta.dirname, "wake.ts");

export interface Supervision {
  readonly process: ProcessLayout;
  readonly secrets: Readonly<Record<string, string>>;
  readonly restart: RestartPolicy;
  /** Origins whose `/health` is asked after each restart: that wakes an agent. */
  readonly urls: readonly string[];
}

/**
 * Starts workerd with a supervisor; the signal aborts when its first life ends before it was marked healthy. Throws CliError when
 * another process serves the data or supervises it. Where there is no POSIX shell (Windows) workerd runs alone.
 */
export async function startSupervised({ process: own, secrets, restart, urls }: Supervision): Promise<Started> {
  const { config, log, data, dataLock, room } = own;
  await mkdir(machineFolder(own), { recursive: true });
  if (process.platform === "win32") return startWorkerd({ config, log, dataLock, secrets });
  await refuseSecond(own);
  await rm(join(room, "healthy"), { force: true });
  await rm(reportFile(own), { force: true });
  const args = [SCRIPT, workerdBinary(), config, log, room, data, dataLock, restart, process.execPath, WAKE, ...urls];
  const { child, ended } = await startDetached("sh", args, { config, log, secrets, hears: true });
  const identity = child.pid === undefined ? undefined : await identify(child.pid);
  if (identity === undefined) throw await endedError(own);
  try {
    await acquireLock(supervisorLock(own), { patienceMs: 0, holder: identity });
  } catch (error) {
    await endProcess(identity);
    throw error;
  }
  // Only now may it start workerd.
  child.stdin?.on("error", () => {}).end("go\n");
  return { ended };
}

async function refuseSecond(own: ProcessLayout): Promise<void> {
  const holder = (await lockHolder(own.dataLock)) ?? (await lockHolder(supervisorLock(own)));
  if (holder === undefined) return;
  throw new CliError(
    "failed",
    `The process ${holder.pid} still serves ${own.data}.`,
    `End it first: two processes would damage the sessions. (The lock is ${own.dataLock}.)`,
  );
}

/** From now on the supervisor starts it again. */
export async function markHealthy({ room }: ProcessLayout): Promise<void> {
  await writeFile(join(room, "healthy"), "");
}

/** Folder of what Workers may know of the machine. */
export function machineFolder({ room }: ProcessLayout): string {
  return join(room, "machine");
}

function supervisorLock({ room }: ProcessLayout): string {
  return join(room, "supervisor");
}

function reportFile({ room }: ProcessLayout): string {
  return join(room, "report.json");
}

/** The supervisor of a process, while it runs. */
export async function supervisorOf(own: ProcessLayout): Promise<ProcessIdentity | undefined> {
  return lockHolder(supervisorLock(own));
}

/** Ends the supervisors first, so that nothing is started again; then, after `before`, the processes. Those that are gone are passed over. */
export async function endSupervised(
  processes: readonly ProcessLayout[],
  before: () => Promise<unknown> = async () => {},
): Promise<void> {
  await Promise.all(processes.map(async (own) => end(await supervisorOf(own))));
  await before();
  await Promise.all(processes.map(async ({ dataLock }) => end(await lockHolder(dataLock))));
}

async function end(identity: ProcessIdentity | undefined): Promise<void> {
  if (identity !== undefined) await endProcess(identity);
}

const Report = z.object({
  /** waiting: it is about to be started again. ended: nobody starts it again. failed: given up, because it ended each time. */
  state: z.enum(["running", "waiting", "ended", "failed"]),
  restarts: z.int(),
  /** As a shell has it: 128 and the number of the signal, or what it exited with. */
  status: z.nullable(z.int()),
  /** Seconds since the epoch. */
  endedAt: z.nullable(z.int()),
});

export async function processStatus(own: ProcessLayout): Promise<ProcessStatus> {
  const workerd = await lockHolder(own.dataLock);
  const supervised = (await supervisorOf(own)) !== undefined;
  const report = Report.safeParse(parseJson(await readText(reportFile(own)))).data;
  const { restarts = 0, status = null, endedAt = null } = report ?? {};
  const lastEnd =
    status === null || endedAt === null
      ? null
      : { at: new Date(endedAt * 1000).toISOString(), reason: await reasonOf(own, status) };
  return { name: own.name, pid: workerd?.pid ?? null, state: stateOf(), supervised, restarts, lastEnd };

  function stateOf(): ProcessStatus["state"] {
    if (workerd !== undefined) return "running";
    if (supervised) return "restarting";
    return report?.state === "failed" ? "failed" : "dead";
  }
}

/** One line: how it ended, and what it said last of it. */
async function reasonOf({ room }: ProcessLayout, status: number): Promise<string> {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  if (signal === "SIGKILL" || signal === "SIGTERM") return `it was ended by ${signal}`;
  const [words] = lastWords(await readText(join(room, "end")));
  const how = signal === undefined ? `it exited with ${status}` : `it was ended by ${signal}`;
  return words === undefined ? how : `${how}: ${words}`;
}

/** The error for a workerd that ended by itself: its own last lines, the reason first. */
export async function endedError({ room, log }: ProcessLayout): Promise<CliError> {
  const lines = lastWords((await readText(join(room, "end"))) || (await readText(log)));
  const said = lines.length === 0 ? ". It said nothing." : `:\n  ${lines.join("\n  ")}`;
  return new CliError("failed", `workerd ended by itself${said}`, `The whole log: ${log}`);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}
