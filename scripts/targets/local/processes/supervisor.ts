// Runs workerd under a supervisor: a shell script (supervise.sh) that outlives the command, restarts workerd and
// reports. Its room holds `supervisor` (its lock), `report.json`, `end` (the last lines of the log at the last end),
// `healthy` (written once all agents answered) and `machine/disk.json`, which the Workers read.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import type { RestartPolicy } from "#jobs/schema/schema.ts";
import { parseJson } from "#shared/text/parse-json.ts";
import { CliError } from "../../../terminal/cli-error.ts";
import type { ProcessLayout } from "../state/layout.ts";
import { acquireLock, lockHolder } from "../state/lock.ts";
import { endProcess, identify, type ProcessIdentity } from "../state/process.ts";
import { type Started, startDetached, startWorkerd, workerdBinary } from "./workerd.ts";
import { lastWords } from "./last-words.ts";
import type { ProcessStatus } from "../../target.ts";
import { hasCode } from "../../../terminal/system-error.ts";

const SCRIPT = join(import.meta.dirname, "supervise.sh");
const WAKE = join(import.meta.dirname, "wake.ts");

export interface Supervision {
  readonly process: ProcessLayout;
  readonly secrets: Readonly<Record<string, string>>;
  readonly restart: RestartPolicy;
  /** Origins whose `/health` is asked after each restart, which wakes the agents. */
  readonly urls: readonly string[];
}

/**
 * Starts workerd with a supervisor. The result's signal aborts when workerd ends before it was marked healthy. Throws CliError when
 * another process serves or supervises the data. On Windows, without a POSIX shell, workerd runs alone.
 */
export async function startSupervised({ process: own, secrets, restart, urls }: Supervision): Promise<Started> {
  const { config, log, data, dataLock, room } = own;
  await mkdir(machineFolder(own), { recursive: true });
  if (process.platform === "win32") return startWorkerd({ config, log, dataLock, secrets });
  await refuseSecond(own);
  await rm(join(room, "healthy"), { force: true });
  await rm(reportFile(own), { force: true });
  const wake = [process.execPath, WAKE, ...urls];
  const args = [SCRIPT, workerdBinary(), config, log, room, data, dataLock, restart, ...wake];
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
    `End it first: two processes would damage the sessions. (Its lock is ${own.dataLock}.)`,
  );
}

/** From now on the supervisor restarts the process. */
export async function markHealthy({ room }: ProcessLayout): Promise<void> {
  await writeFile(join(room, "healthy"), "");
}

/** Folder of the facts about the machine that Workers may read. */
export function machineFolder({ room }: ProcessLayout): string {
  return join(room, "machine");
}

function supervisorLock({ room }: ProcessLayout): string {
  return join(room, "supervisor");
}

function reportFile({ room }: ProcessLayout): string {
  return join(room, "report.json");
}

function endFile({ room }: ProcessLayout): string {
  return join(room, "end");
}

/** The supervisor of a process, while it runs. */
export async function supervisorOf(own: ProcessLayout): Promise<ProcessIdentity | undefined> {
  return lockHolder(supervisorLock(own));
}

/** Ends the supervisors, so that nothing restarts; runs `before`; ends the processes. May be repeated. */
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
  /** waiting: it will be restarted. ended: it is not restarted. failed: it ended at each start and was given up. */
  state: z.enum(["running", "waiting", "ended", "failed"]),
  restarts: z.int(),
  /** As in a shell: the exit code, or 128 plus the number of the signal. */
  status: z.nullable(z.int()),
  /** Seconds since the epoch. */
  endedAt: z.nullable(z.int()),
});

export async function processStatus(own: ProcessLayout): Promise<ProcessStatus> {
  const [workerd, supervisor] = [await lockHolder(own.dataLock), await supervisorOf(own)];
  const [report, end] = [await readText(reportFile(own)), await readText(endFile(own))];
  return statusFrom({ name: own.name, pid: workerd?.pid, supervised: supervisor !== undefined, report, end });
}

/** What is known of a process: its pid while it runs, and what its supervisor has written. */
export interface ProcessFacts {
  readonly name: string;
  readonly pid: number | undefined;
  readonly supervised: boolean;
  /** The text of `report.json`; empty without one. */
  readonly report: string;
  /** The last lines of its log at its last end. */
  readonly end: string;
}

export function statusFrom({ name, pid, supervised, report, end }: ProcessFacts): ProcessStatus {
  const said = Report.safeParse(parseJson(report)).data;
  const { restarts = 0, status = null, endedAt = null } = said ?? {};
  const lastEnd =
    status === null || endedAt === null
      ? null
      : { at: new Date(endedAt * 1000).toISOString(), reason: endReason(end, status) };
  return { name, pid: pid ?? null, state: stateOf(), supervised, restarts, lastEnd };

  function stateOf(): ProcessStatus["state"] {
    if (pid !== undefined) return "running";
    if (supervised) return "restarting";
    return said?.state === "failed" ? "failed" : "dead";
  }
}

/** One line: how the process ended, and its last words. */
function endReason(end: string, status: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  if (signal === "SIGKILL" || signal === "SIGTERM") return `it was ended by ${signal}`;
  const [words] = lastWords(end);
  const how = signal === undefined ? `it exited with ${status}` : `it was ended by ${signal}`;
  return words === undefined ? how : `${how}: ${words}`;
}

/** The error for a workerd that ended by itself, with its last words. */
export async function endedError(own: ProcessLayout): Promise<CliError> {
  const { log } = own;
  const lines = lastWords((await readText(endFile(own))) || (await readText(log)));
  const said = lines.length === 0 ? ". It wrote nothing." : `:\n  ${lines.join("\n  ")}`;
  return new CliError("failed", `workerd ended by itself${said}`, `The whole log: ${log}`);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "";
    throw error;
  }
}
