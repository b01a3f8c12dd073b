// Starting workerd as a detached process that outlives the command, with its log in a file.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";

import { CliError } from "../../cli-error.ts";
import { acquireLock, lockHolder } from "./lock.ts";
import { endProcess, identify, type ProcessIdentity } from "./process.ts";

const MAX_LOG_BYTES = 10 * 1024 * 1024;
/** What workerd may know of our environment, besides the secrets that it is given. */
const PASSED_ON = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"];

export interface WorkerdStart {
  readonly config: string;
  readonly log: string;
  /** Taken for the process that is started: no two may serve one data folder. */
  readonly dataLock: string;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface Workerd {
  readonly identity: ProcessIdentity;
  /** Aborts when the process ends while this command still runs. */
  readonly ended: AbortSignal;
}

/** Path of the workerd binary among the dependencies, which `load` finds. Throws CliError when it is missing. */
export function workerdBinary(load: (name: string) => unknown = createRequire(import.meta.url)): string {
  let path: unknown;
  try {
    const found = load("workerd");
    path = typeof found === "object" && found !== null && "default" in found ? found.default : found;
  } catch (error) {
    throw missing(error instanceof Error ? (error.message.trim().split("\n")[0] ?? "") : String(error));
  }
  if (typeof path !== "string" || !existsSync(path)) throw missing(`there is no file ${String(path)}`);
  return path;
}

/** Starts workerd. Throws CliError when another process serves the data, or when workerd cannot be started at all. */
export async function startWorkerd({ config, log, dataLock, secrets }: WorkerdStart): Promise<Workerd> {
  const binary = workerdBinary();
  const holder = await lockHolder(dataLock);
  if (holder !== undefined) {
    throw new CliError(
      "failed",
      `The process ${holder.pid} still serves ${dirname(dataLock)}.`,
      `End it first: two processes would damage the sessions. (The lock is ${dataLock}.)`,
    );
  }
  await mkdir(dirname(log), { recursive: true });
  await rotate(log);
  const output = await open(log, "a");
  const child = spawn(binary, ["serve", config], {
    cwd: dirname(config),
    detached: true,
    windowsHide: true,
    stdio: ["ignore", output.fd, output.fd],
    env: environment(secrets),
  });
  const ended = new AbortController();
  child.once("exit", () => ended.abort());
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) => reject(new CliError("failed", `workerd cannot be started: ${error.message}`)));
    });
  } finally {
    await output.close();
  }
  child.unref();
  const identity = child.pid === undefined ? undefined : await identify(child.pid);
  if (identity === undefined) throw await endedError(log);
  try {
    await acquireLock(dataLock, { patienceMs: 0, holder: identity });
  } catch (error) {
    await endProcess(identity);
    throw error;
  }
  return { identity, ended: ended.signal };
}

/** The error for a workerd that ended by itself, with the end of its log. */
export async function endedError(log: string): Promise<CliError> {
  const text = await readFile(log, "utf8");
  const lines = text.trim().split("\n").slice(-5).map(readable);
  return new CliError("failed", `workerd ended by itself:\n  ${lines.join("\n  ")}`, `The whole log: ${log}`);
}

/** The message of a line of workerd's JSON log; any other line as it is. */
function readable(line: string): string {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry === "object" && entry !== null && "message" in entry) return String(entry.message);
  } catch {
    // What workerd prints before its logging is set up is plain text.
  }
  return line;
}

async function rotate(log: string): Promise<void> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size > MAX_LOG_BYTES) await rename(log, `${log}.1`);
}

function environment(secrets: Readonly<Record<string, string>>): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), ...secrets };
}

function missing(reason: string): CliError {
  return new CliError("failed", `workerd, which runs the Workers, is missing: ${reason}`, "Run: npm install");
}
