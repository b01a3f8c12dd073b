// One script on a host: a session of the connection that all share.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

import { CliError } from "../../../terminal/cli-error.ts";
import { FrameReader, frame } from "./framed.ts";
import { environment, type Master } from "./master.ts";

/** Where scripts run: at the other end of a connection, or on this machine. */
export interface Sessions {
  readonly to: { readonly id: string };
  readonly isGone: boolean;
  /** Resolves when no session can be opened any more. */
  readonly ended: Promise<unknown>;
  /** Why no session can be opened any more. */
  lost(): CliError;
  /** A process that reads a framed script. */
  open(): ChildProcessWithoutNullStreams;
}

export interface RunOptions {
  /** The script's "$1", "$2" … */
  readonly args?: readonly string[];
  /** The script's stdin; empty without it. */
  readonly input?: Uint8Array | string | NodeJS.ReadableStream;
  /** Ends the wait, not the script. */
  readonly signal?: AbortSignal;
  /** How much stdout may hold; 8 MiB without it. */
  readonly maxBytes?: number;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_STDOUT = 8 * 1_024 * 1_024;
const MAX_STDERR = 65_536;
/** How long an end of a session may take, and how long after it the connection may say that it has ended, too. */
const LAST_WORDS_MS = 1_000;

/** See Connection.run. */
export async function runScript(
  sessions: Sessions,
  script: string,
  { args = [], input = "", signal, maxBytes = MAX_STDOUT }: RunOptions,
): Promise<Ran> {
  signal?.throwIfAborted();
  const { head, mark } = frame(script, args);
  const child = sessions.open();
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  const stdout = new Output(child.stdout, mark, maxBytes);
  const stderr = new Output(child.stderr, mark, MAX_STDERR);
  void Promise.all([stdout.whole, stderr.whole]).then(stop);
  void stdout.tooLong.then(stop);
  child.once("close", stop).once("error", stop);
  signal?.addEventListener("abort", stop);
  child.stdin.write(head);
  if (typeof input === "string" || input instanceof Uint8Array) child.stdin.end(input);
  else input.once("error", stop).pipe(child.stdin);
  await over;
  signal?.removeEventListener("abort", stop);
  await leave(child);
  signal?.throwIfAborted();
  if (stdout.size > maxBytes) {
    throw new CliError(
      "failed",
      `${sessions.to.id} prints more than ${maxBytes} bytes where a short answer is due.`,
      "Run the command again; if that remains, report it.",
    );
  }
  if (stdout.code === undefined) throw await whyBroken(sessions);
  return { code: stdout.code, stdout: stdout.text, stderr: stderr.text };
}

/** See Connection.lines. */
export async function* scriptLines(
  sessions: Sessions,
  script: string,
  { args = [], signal }: { readonly args?: readonly string[]; readonly signal: AbortSignal },
): AsyncGenerator<string, void, undefined> {
  if (signal.aborted) return;
  const { head, mark } = frame(script, args, "runs-on");
  const child = sessions.open();
  let late: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.stdin.end();
    late = setTimeout(() => child.kill(), LAST_WORDS_MS);
  };
  signal.addEventListener("abort", end, { once: true });
  child.stdin.write(head);
  child.stderr.resume();
  const lines = createInterface({ input: child.stdout, crlfDelay: Infinity });
  let isOwn = false;
  let blank = false;
  try {
    for await (const line of lines) {
      if (signal.aborted) return;
      if (!isOwn) {
        isOwn = line === mark;
        continue;
      }
      if (line.startsWith(`${mark} `)) return;
      // The last mark begins with a newline of its own.
      if (blank) yield "";
      blank = line === "";
      if (!blank) yield line;
    }
    if (!signal.aborted) throw await whyBroken(sessions);
  } finally {
    signal.removeEventListener("abort", end);
    clearTimeout(late);
    lines.close();
    await leave(child);
  }
}

/** Options of an ssh that goes over a master only. */
export const OVER_MASTER: readonly string[] = ["-F", "none", "-T", "-o", "ProxyCommand=false", "-o", "LogLevel=ERROR"];

/**
 * Starts an ssh that goes over the master only: it reads no configuration that would ask or forward, and reaches nothing by
 * itself.
 */
export function overMaster(
  master: Master,
  options: readonly string[],
  command: readonly string[],
): ChildProcessWithoutNullStreams {
  if (master.isGone) throw master.lost();
  // Detached: Ctrl-C must not end what cleans up.
  const child = spawn("ssh", ["-S", master.controlArgument, ...OVER_MASTER, ...options, "--", "host", ...command], {
    detached: true,
    env: environment(),
    stdio: ["pipe", "pipe", "pipe"],
  });
  // Writes to an ssh that is gone, and a failure to start it, show as its end.
  child.stdin.on("error", () => undefined);
  child.on("error", () => undefined);
  return child;
}

/** Resolves to the exit code; null after a signal, or where the program could not be started. */
export async function ended(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  if (child.pid === undefined) return null;
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

/** Ends this side of a session, whose host side may run on. */
async function leave(child: ChildProcessWithoutNullStreams): Promise<void> {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  child.kill();
  await ended(child);
}

/** Why a script ended without its last mark. */
async function whyBroken(sessions: Sessions): Promise<CliError> {
  const patience = AbortSignal.timeout(LAST_WORDS_MS);
  await Promise.race([sessions.ended, once(patience, "abort")]);
  if (sessions.isGone) return sessions.lost();
  return new CliError(
    "failed",
    `${sessions.to.id} ended a command in the middle.`,
    "See whether it is short of memory or processes (dmesg, ulimit -u), then run the command again.",
  );
}

/** What a script prints on one of its two outputs. */
class Output {
  readonly #reader: FrameReader;
  readonly #own: Buffer[] = [];
  /** Resolves when the script has ended. */
  readonly whole: Promise<void>;
  readonly tooLong: Promise<void>;
  size = 0;

  constructor(stream: Readable, mark: string, maxBytes: number) {
    this.#reader = new FrameReader(mark);
    const whole = Promise.withResolvers<void>();
    const tooLong = Promise.withResolvers<void>();
    this.whole = whole.promise;
    this.tooLong = tooLong.promise;
    stream.on("data", (chunk: Buffer) => {
      const bytes = this.#reader.read(chunk);
      this.size += bytes.length;
      if (this.size <= maxBytes) this.#own.push(bytes);
      else tooLong.resolve();
      if (this.#reader.code !== undefined) whole.resolve();
    });
  }

  get code(): number | undefined {
    return this.#reader.code;
  }

  get text(): string {
    return Buffer.concat(this.#own).toString();
  }
}
