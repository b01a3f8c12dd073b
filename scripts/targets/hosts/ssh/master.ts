// The one connection to a host that all commands share (ControlMaster): an ssh process that lives no longer than this one.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CliError } from "../../../terminal/cli-error.ts";
import type { Destination } from "./destination.ts";
import { lost, whyNotConnected } from "./explain.ts";
import { COMMAND, FrameReader, frame } from "./framed.ts";

/** ssh's own limits end sooner. This one is for a host that accepts the key and then says nothing. */
const OPEN_LIMIT_MS = 45_000;
const END_GRACE_MS = 2_000;
const MAX_STDERR = 16_384;
/** Of a socket's path on macOS, less what ssh appends while it makes the socket. */
const MAX_CONTROL_PATH = 104 - 18;
const NO_SSH = 96;

/** The user's configuration counts, except for what would ask, print, or forward something. */
export const OPTIONS = [
  "IgnoreUnknown=SessionType,StdinNull,ForkAfterAuthentication",
  "BatchMode=yes",
  "StrictHostKeyChecking=yes",
  "ConnectTimeout=10",
  "ServerAliveInterval=5",
  "ServerAliveCountMax=3",
  "ControlPersist=no",
  "ClearAllForwardings=yes",
  "ForwardAgent=no",
  "ForwardX11=no",
  "PermitLocalCommand=no",
  "RemoteCommand=none",
  "RequestTTY=no",
  "StdinNull=no",
  "ForkAfterAuthentication=no",
  "Compression=no",
  "LogLevel=ERROR",
].flatMap((option) => ["-o", option]);

/**
 * Ends ssh as soon as descriptor 3 is closed, which a killed process does, too, and removes the socket. A group of its
 * own: Ctrl-C must not end the connection that cleans up.
 */
const GUARD = `
folder=$1
shift
command -v ssh >/dev/null || { rm -rf "$folder"; exit ${NO_SSH}; }
exec 4<&0
ssh "$@" <&4 4<&- 3<&- &
ssh=$!
exec 4<&- </dev/null
{ read -r _ <&3; kill "$ssh"; } >/dev/null 2>&1 &
watch=$!
exec 3<&- >/dev/null
wait "$ssh"
status=$?
kill "$watch" 2>/dev/null
rm -rf "$folder"
exit "$status"
`;

export class Master {
  readonly to: Destination;
  /** Path of the socket, as ssh takes it. */
  readonly controlArgument: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #ended: Promise<number | null>;
  #stderr = "";

  constructor(to: Destination, folder: string, config: string | undefined) {
    this.to = to;
    this.#folder = folder;
    // ssh reads percent signs of a path as variables.
    this.controlArgument = join(folder, "c").replaceAll("%", "%%");
    this.#child = spawn(
      "/bin/sh",
      [
        "-c",
        GUARD,
        "troupe-ssh",
        folder,
        ...(config === undefined ? [] : ["-F", config]),
        "-M",
        "-S",
        this.controlArgument,
        ...OPTIONS,
        "-o",
        "SessionType=default",
        ...(to.port === undefined ? [] : ["-p", String(to.port)]),
        "--",
        to.destination,
        COMMAND,
      ],
      { detached: true, env: environment(), stdio: ["pipe", "pipe", "pipe", "pipe"] },
    );
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR);
    });
    // Writes to an ssh that is gone: its end says why.
    this.#child.stdin?.on("error", () => undefined);
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", () => resolve(null));
      this.#child.once("close", resolve);
    });
  }

  get isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }

  /** Resolves when ssh has ended. */
  get ended(): Promise<unknown> {
    return this.#ended;
  }

  /** Why there is no connection any more. */
  lost(): CliError {
    return lost(this.to, this.#stderr);
  }

  /** Resolves to the home folder on the host when the connection is there. It stays until `end`. */
  async connected(signal: AbortSignal): Promise<string> {
    // A session of its own keeps the connection.
    const { head, mark } = frame('printf %s "$HOME"', [], "stays");
    const reader = new FrameReader(mark);
    const limit = AbortSignal.timeout(OPEN_LIMIT_MS);
    this.#child.stdin?.write(head);
    let home = "";
    const heard = new Promise<void>((resolve) => {
      this.#child.stdout?.on("data", (chunk: Buffer) => {
        home += reader.read(chunk).toString();
        if (reader.code !== undefined) resolve();
      });
    });
    await Promise.race([heard, this.#ended, aborted(AbortSignal.any([signal, limit]))]);
    signal.throwIfAborted();
    if (reader.code === undefined) {
      if (limit.aborted) {
        throw new CliError(
          "failed",
          `${this.to.id} took the connection, but its login shell says nothing.`,
          `See what happens there: ssh ${this.to.destination} true`,
        );
      }
      throw (await this.#ended) === NO_SSH ? noSsh() : whyNotConnected(this.to, this.#stderr);
    }
    if (!home.startsWith("/")) {
      throw new CliError(
        "failed",
        `The account at ${this.to.id} has no home folder.`,
        "Give it one, or use another account.",
      );
    }
    // The connection alone keeps no command from ending, which ends the connection.
    this.#hold("unref");
    return home;
  }

  #hold(how: "ref" | "unref"): void {
    this.#child[how]();
    for (const pipe of this.#child.stdio) if (pipe instanceof Socket) pipe[how]();
  }

  /** May be repeated. */
  async end(): Promise<void> {
    this.#hold("ref");
    this.#child.stdin?.destroy();
    for (const pipe of this.#child.stdio) pipe?.destroy();
    const late = AbortSignal.timeout(END_GRACE_MS);
    await Promise.race([this.#ended, aborted(late)]);
    if (!this.isGone && this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A folder for the socket, whose path has to be short. */
export async function controlFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-"));
  if (Buffer.byteLength(folder) + 2 <= MAX_CONTROL_PATH) return folder;
  await rm(folder, { recursive: true });
  return mkdtemp("/tmp/troupe-");
}

/** Nothing may ask a person: no window for a passphrase. Messages are read in English. */
export function environment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: "C", SSH_ASKPASS_REQUIRE: "never" };
}

function noSsh(): CliError {
  return new CliError(
    "failed",
    "This machine has no ssh program.",
    "Install OpenSSH's client, such as: sudo apt-get install openssh-client",
  );
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
