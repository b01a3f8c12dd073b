// One host, reached by the system's ssh: scripts, files and forwarded ports over one connection.
import { once } from "node:events";
import { createServer } from "node:net";

import { CliError } from "../../../terminal/cli-error.ts";
import { checkDestination, type Destination } from "./destination.ts";
import { lastLine } from "./explain.ts";
import { COMMAND } from "./framed.ts";
import { controlFolder, Master } from "./master.ts";
import { type Content, sendFile, type SendOptions } from "./send.ts";
import { ended, overMaster, type Ran, type RunOptions, runScript, scriptLines, type Sessions } from "./session.ts";

export type { Destination } from "./destination.ts";

/** Of the ten sessions that sshd allows on a connection, one keeps it, and some may run on. */
const MAX_SESSIONS = 6;

/** A machine on which scripts run and files are written: a host, or this one. */
export interface Shell {
  readonly to: { readonly id: string };
  /** Troupe's folder there, absolute. */
  readonly root: string;
  /** See Connection. */
  run(script: string, options?: RunOptions): Promise<Ran>;
  lines(
    script: string,
    options: { readonly args?: readonly string[]; readonly signal: AbortSignal },
  ): AsyncIterable<string>;
  send(content: Content, to: string, options: SendOptions): Promise<number>;
}

export class Connection implements Shell, AsyncDisposable {
  readonly to: Destination;
  /** Absolute home folder on the host, symlinks kept. */
  readonly home: string;
  readonly #master: Master;
  readonly #waiting: (() => void)[] = [];
  #sessions = 0;

  constructor(to: Destination, home: string, master: Master) {
    this.to = to;
    this.home = home;
    this.#master = master;
  }

  get root(): string {
    return `${this.home}/.troupe`;
  }

  /**
   * Connects once. Throws CliError with what to do. `config`: the ssh config file instead of ~/.ssh/config; without it the
   * one that TROUPE_SSH_CONFIG names.
   */
  static async open(
    to: Destination,
    {
      signal,
      config = process.env["TROUPE_SSH_CONFIG"] || undefined,
    }: { readonly signal: AbortSignal; readonly config?: string | undefined },
  ): Promise<Connection> {
    checkDestination(to);
    signal.throwIfAborted();
    const master = new Master(to, await controlFolder(), config);
    try {
      return new Connection(to, await master.connected(signal), master);
    } catch (error) {
      await master.end();
      throw error;
    }
  }

  /**
   * Runs a POSIX sh script on the host, whatever the login shell is. It begins in the home folder with umask 077. Resolves
   * when the script ends, with any exit code; what it starts in the background has to leave stdin alone. Throws CliError
   * when the connection is lost.
   */
  async run(script: string, options: RunOptions = {}): Promise<Ran> {
    if (this.#sessions >= MAX_SESSIONS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#sessions += 1;
    try {
      return await runScript(sessionsOf(this.#master), script, options);
    } finally {
      // Whoever waits takes this place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#sessions -= 1;
      else next();
    }
  }

  /**
   * The lines of a script that runs on, until it ends, or until the signal aborts, which ends it. A script that ends in
   * `exec tail -f …` has no child that would stay. Throws CliError when the connection is lost.
   */
  lines(
    script: string,
    options: { readonly args?: readonly string[]; readonly signal: AbortSignal },
  ): AsyncIterable<string> {
    return scriptLines(sessionsOf(this.#master), script, options);
  }

  /**
   * Sends a file, gzipped on the way. Goes on where an earlier try broke off, checks SHA-256 after arrival, renames into
   * place. Does nothing where the file with that hash is there. `to` is absolute; its folder is made. Resolves to the
   * compressed bytes that were sent.
   */
  send(content: Content, to: string, options: SendOptions): Promise<number> {
    return sendFile(this, content, to, options);
  }

  /**
   * Forwards a loopback port of this machine to a loopback port of the host, as long as the connection lives. Throws
   * CliError where the local port is taken.
   */
  async forward(localPort: number, remotePort: number): Promise<void> {
    if (!(await isFree(localPort))) {
      throw new CliError(
        "failed",
        `Port ${localPort} of this machine is not free.`,
        "End the program that listens there, or choose another port.",
      );
    }
    const ports = `127.0.0.1:${localPort}:127.0.0.1:${remotePort}`;
    const child = overMaster(this.#master, ["-O", "forward", "-L", ports], []);
    child.stdout.resume();
    child.stdin.end();
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    if ((await ended(child)) === 0) return;
    if (this.#master.isGone) throw this.#master.lost();
    throw new CliError(
      "failed",
      `ssh does not forward port ${localPort} to ${this.to.id}: ${lastLine(said)}.`,
      "Choose another port, then run the command again.",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#master.end();
  }
}

function sessionsOf(master: Master): Sessions {
  return {
    to: master.to,
    ended: master.ended,
    get isGone() {
      return master.isGone;
    },
    lost: () => master.lost(),
    open: () => overMaster(master, [], [COMMAND]),
  };
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen({ port, host: "127.0.0.1", exclusive: true }), "listening");
    return true;
  } catch {
    // In use, or reserved for root.
    return false;
  } finally {
    server.close();
  }
}
