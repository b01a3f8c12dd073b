// The terminal's input as messages (a pasted paragraph is one) and as answers to questions. Text that was typed while
// nobody waited becomes the next message, and never answers a question that was asked later.
import { createInterface, type Interface } from "node:readline";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";

import { escaped } from "#shared/text/visible.ts";

import { cutTo } from "../terminal/terminal-text.ts";

/** Lines that follow each other faster were pasted: they are one message. */
const BURST_MS = 50;
/** A question is asked after this pause in typing: then the terminal holds no older text. */
const QUIET_MS = 100;
const MAX_QUOTED = 60;
/** Bracketed paste (https://invisible-island.net/xterm/ctlseqs): the terminal marks the beginning and the end of a paste. */
const [MARK_PASTES, MARK_NO_PASTES] = ["\x1b[?2004h", "\x1b[?2004l"];

export class Keyboard implements Disposable {
  readonly #output: NodeJS.WritableStream;
  readonly #lines: Interface;
  /** Whole messages that nobody has taken, oldest first. */
  readonly #messages: string[] = [];
  /** Complete lines of the message that is being typed; its last line is still in the line editor. */
  #burst: string[] = [];
  /** Lines of a message that a question interrupted; the last of them was incomplete. */
  #unfinished: string[] = [];
  #isPasting = false;
  /** A paste ended: its message ends with the next Enter. */
  #isHeld = false;
  #isOver = false;
  /** How many messages of `left` a question has quoted already. */
  #named = 0;
  #touchedAt = 0;
  #settling: NodeJS.Timeout | undefined;
  #waiting: ((text: string | undefined) => void) | undefined;

  /** Both streams belong to a terminal. `output` shows what is typed. */
  constructor(input: NodeJS.ReadableStream = process.stdin, output: NodeJS.WritableStream = process.stderr) {
    this.#output = output;
    this.#lines = createInterface({ input, output, terminal: true, prompt: "" });
    this.#lines.on("line", (line) => this.#take(line));
    this.#lines.on("close", () => {
      input.off("keypress", this.#onKey);
      this.#end();
    });
    // A closed terminal ends the input.
    this.#lines.on("error", () => this.#lines.close());
    // The line editor reads Ctrl-C, so the terminal sends no signal.
    this.#lines.on("SIGINT", () => process.emit("SIGINT"));
    input.on("keypress", this.#onKey);
    if (process.env["TERM"] === "dumb") return;
    output.write(MARK_PASTES);
    process.once("exit", this.#unmark);
  }

  /** The next message, perhaps one that was typed earlier; undefined when the input ends or `signal` aborts. */
  async message(prompt: string, signal: AbortSignal): Promise<string | undefined> {
    const early = this.#messages.shift();
    if (early !== undefined) {
      this.#named = Math.max(0, this.#named - 1);
      this.#output.write(`${prompt}${escaped(early)}\n`);
      return early;
    }
    return this.#next(prompt, signal, this.#unfinished.splice(0));
  }

  /** The answer to `question`, typed from now on; undefined when the input ends or `signal` aborts. */
  async answer(question: string, signal: AbortSignal): Promise<string | undefined> {
    await this.#quiet(signal);
    this.#unfinished.push(...this.#takeLine());
    const early = this.left.slice(this.#named).map((text) => `"${cutTo(escaped(text.trim()), MAX_QUOTED)}"`);
    this.#named = this.left.length;
    if (early.length > 0)
      this.#output.write(`Typed before this question, so not an answer to it: ${early.join(", ")}\n`);
    const answer = await this.#next(question, signal);
    if (answer === undefined) this.#takeLine();
    return answer;
  }

  /** Text that was typed and not taken. */
  get left(): readonly string[] {
    return [...this.#messages, this.#unfinished.join("\n")].filter((text) => text.trim() !== "");
  }

  [Symbol.dispose](): void {
    this.#lines.close();
  }

  async #next(prompt: string, signal: AbortSignal, begun: readonly string[] = []): Promise<string | undefined> {
    if (this.#isOver || signal.aborted) return undefined;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const stop = () => resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    this.#waiting = resolve;
    const own = prompt.slice(prompt.lastIndexOf("\n") + 1);
    this.#output.write(prompt.slice(0, prompt.length - own.length));
    this.#lines.setPrompt(own);
    this.#lines.prompt(true);
    for (const line of begun.slice(0, -1)) {
      this.#output.write(`${escaped(line)}\n`);
      this.#burst.push(line);
    }
    const rest = begun.at(-1) ?? "";
    if (rest !== "") this.#lines.write(rest);
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#waiting = undefined;
      this.#lines.setPrompt("");
    }
  }

  readonly #onKey = (_: string | undefined, { name }: { readonly name?: string }): void => {
    this.#touchedAt = performance.now();
    if (name === "paste-start") this.#isPasting = true;
    if (name === "paste-end") [this.#isPasting, this.#isHeld] = [false, true];
  };

  #take(line: string): void {
    this.#burst.push(line);
    if (this.#isPasting) return;
    this.#isHeld = false;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      // Text in the editor belongs to the lines before it: the next Enter ends the message.
      if (!this.#isPasting && !this.#isHeld && this.#lines.line === "") this.#settle();
    }, BURST_MS);
  }

  #settle(): void {
    if (this.#burst.length === 0) return;
    const text = this.#burst.splice(0).join("\n");
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) waiting(text);
    // Enter alone is no message while nobody waits.
    else if (text.trim() !== "") this.#messages.push(text);
  }

  /** Empties the line editor; returns the lines that stood there. */
  #takeLine(): string[] {
    if (!this.#isOver && this.#lines.line !== "") this.#lines.write(null, { name: "return" });
    clearTimeout(this.#settling);
    [this.#isPasting, this.#isHeld] = [false, false];
    return this.#burst.splice(0);
  }

  async #quiet(signal: AbortSignal): Promise<void> {
    this.#touchedAt = performance.now();
    for (;;) {
      const restMs = this.#touchedAt + QUIET_MS - performance.now();
      if (restMs <= 0 || this.#isOver || signal.aborted) return;
      await delay(restMs, undefined, { signal }).catch(() => {});
      // The terminal's buffer is read before this resolves.
      await nextTurn();
    }
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#settling);
    this.#settle();
    this.#waiting?.(undefined);
    this.#unmark();
    process.off("exit", this.#unmark);
  }

  readonly #unmark = (): void => {
    if (process.env["TERM"] !== "dumb") this.#output.write(MARK_NO_PASTES);
  };
}
