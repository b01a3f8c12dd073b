// A person at a terminal: `troupe` in a pseudo-terminal of its own, with what stands on its screen.
import { join } from "node:path";

import { type IPty, spawn } from "@lydell/node-pty";

import { ScreenView } from "./screen.ts";

const CLI = join(import.meta.dirname, "../../scripts/troupe.mjs");
const LIMIT_MS = 20_000;

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
}

export class TerminalSession implements AsyncDisposable {
  readonly screen: ScreenView;
  readonly #pty: IPty;
  readonly exit: Promise<number>;
  #hasExited = false;
  #changed = Promise.withResolvers<void>();

  constructor(args: readonly string[], { columns = 80, rows = 30, cwd = process.cwd(), env }: TerminalOptions) {
    this.screen = new ScreenView({ columns, rows });
    this.#pty = spawn(process.execPath, [CLI, ...args], {
      name: env["TERM"] ?? "xterm-256color",
      cols: columns,
      rows,
      cwd,
      env: { ...env, TERM: env["TERM"] ?? "xterm-256color" },
    });
    this.#pty.onData((text) => {
      this.screen.write(text);
      this.#news();
    });
    this.exit = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode }) => {
        this.#hasExited = true;
        this.#news();
        resolve(exitCode);
      });
    });
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  /** Resolves to the screen once `holds` is true of it. */
  async until(holds: (screen: string) => boolean, what: string): Promise<string> {
    const timeout = Promise.withResolvers<void>();
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      timeout.resolve();
    }, LIMIT_MS);
    try {
      for (;;) {
        const { promise } = this.#changed;
        const text = await this.screen.text();
        if (holds(text)) return text;
        if (isOver || this.#hasExited) throw new Error(`Not on the screen: ${what}\n${text}`);
        await Promise.race([promise, timeout.promise]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves to the screen once it shows the text, or matches it. */
  async shows(text: string | RegExp): Promise<string> {
    return this.until((screen) => (typeof text === "string" ? screen.includes(text) : text.test(screen)), String(text));
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  #news(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasExited) this.#pty.kill("SIGKILL");
    await this.exit;
  }
}
