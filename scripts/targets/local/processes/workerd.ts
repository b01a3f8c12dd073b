// Finds workerd, and starts programs as detached processes that outlive the command and log to a file.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";

import { CliError } from "../../../terminal/cli-error.ts";
import { acquireLock, lockHolder } from "../state/lock.ts";
import { endProcess, identify, type ProcessIdentity } from "../state/process.ts";

/** Environment variables that workerd gets, besides the secrets. */
const PASSED_ON = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"];

export interface WorkerdStart {
  readonly config: string;
  readonly log: string;
  /** The new process holds this lock: only one process may serve a data folder. */
  readonly dataLock: string;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface Started {
  /** Aborts when the process ends while this command still runs. */
  readonly ended: AbortSignal;
}

export interface Workerd extends Started {
  readonly identity: ProcessIdentity;
}

/** Path of the workerd binary among the dependencies. Throws CliError when it is missing. */
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

/** Starts workerd. Throws CliError when another process serves the data, or when workerd cannot be started. */
export async function startWorkerd({ config, log, dataLock, secrets }: WorkerdStart): Promise<Workerd> {
  const binary = workerdBinary();
  const holder = await lockHolder(dataLock);
  if (holder !== undefined) {
    throw new CliError(
      "failed",
      `The process ${holder.pid} still serves ${dirname(dataLock)}.`,
      `End it first: two processes would damage the sessions. (Its lock is ${dataLock}.)`,
    );
  }
  const { child, ended } = await startDetached(binary, ["serve", config], { config, log, secrets });
  const identity = child.pid === undefined ? undefined : await identify(child.pid);
  if (identity === undefined) throw new CliError("failed", "workerd ended by itself.", `Its log: ${log}`);
  try {
    await acquireLock(dataLock, { patienceMs: 0, holder: identity });
  } catch (error) {
    await endProcess(identity);
    throw error;
  }
  return { identity, ended };
}

/**
 * Starts a program that outlives this command, in the folder of the configuration. Its output goes to the log; its standard input is
 * closed, or a pipe where `hears` is true. Throws CliError when it cannot be started.
 */
export async function startDetached(
  program: string,
  args: readonly string[],
  { config, log, secrets, hears = false }: Omit<WorkerdStart, "dataLock"> & { readonly hears?: boolean },
): Promise<Started & { readonly child: ChildProcess }> {
  await mkdir(dirname(log), { recursive: true });
  const output = await open(log, "a");
  const child = spawn(program, args, {
    cwd: dirname(config),
    detached: true,
    windowsHide: true,
    stdio: [hears ? "pipe" : "ignore", output.fd, output.fd],
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
  return { child, ended: ended.signal };
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
