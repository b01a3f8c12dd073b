// A receiver's process: started on loopback, waited for until it answers, ended by its own handle.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

import { lastLines } from "./toolchain.ts";

const START_LIMIT_MS = 90_000;
const END_LIMIT_MS = 10_000;

export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  #output = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    }
  }

  /** Resolves when each of `urls` answers, whatever it says. Throws the program's last words when it does not come to that. */
  static async start(
    path: string,
    args: readonly string[],
    urls: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<Program> {
    const env = { ...process.env, ...environment };
    const program = new Program(spawn(path, args, { env, stdio: ["ignore", "pipe", "pipe"] }));
    await once(program.#child, "spawn");
    const deadline = Date.now() + START_LIMIT_MS;
    while (!(await Promise.all(urls.map(answers))).every(Boolean)) {
      const ended = program.#hasEnded();
      if (ended || Date.now() > deadline) {
        await program[Symbol.asyncDispose]();
        throw new Error(`${path} ${ended ? "ended" : "does not answer"}: ${lastLines(program.#output)}`);
      }
      await delay(100);
    }
    return program;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded()) return;
    const ended = once(this.#child, "exit");
    const patience = setTimeout(() => this.#child.kill("SIGKILL"), END_LIMIT_MS);
    this.#child.kill("SIGTERM");
    await ended;
    clearTimeout(patience);
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return true;
  } catch (error) {
    // Refused or silent: not yet up.
    if (error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError")) return false;
    throw error;
  }
}
