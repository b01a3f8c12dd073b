// The terminal's input as messages and as answers to questions. Text that was typed while nobody waited becomes the next message, and
// neither it nor anything pasted ever answers a question.
import { emitKeypressEvents } from "node:readline";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";

import { escaped } from "#shared/text/visible.ts";

import { cutTo } from "../terminal-text.ts";
import { type Complete, completed } from "./completion.ts";
import { History } from "./history.ts";
import { HistorySearch } from "./history-search.ts";
import { type Key, LineEditor } from "./line-editor.ts";
import type { LiveArea, Output } from "./live-area.ts";
import { TypedView } from "./typed-view.ts";

/** Keys that follow Enter faster were pasted along with it: the text goes on. */
const BURST_MS = 50;
/** A question is asked after this pause in typing: then the terminal holds no older text. */
const QUIET_MS = 100;
/** A paste does not stop for so long. */
const LOST_MS = 1_000;
const MAX_QUOTED = 60;

export interface TypingOptions {
  /** Where typed text is drawn; undefined on a dumb terminal. */
  readonly live?: LiveArea | undefined;
  readonly history?: History;
  /** Candidates for the Tab key. */
  readonly complete?: Complete;
  /** Ctrl-C. By default the process gets the signal. */
  readonly onInterrupt?: () => void;
}

type Input = NodeJS.ReadableStream & { setRawMode?(raw: boolean): unknown };
type Waiting = { readonly for: "message" | "answer"; readonly resolve: (text: string | undefined) => void };

export class Keyboard implements Disposable {
  readonly #input: Input;
  readonly #view: TypedView;
  readonly #line = new LineEditor();
  readonly #history: History;
  readonly #complete: Complete;
  readonly #interrupt: () => void;
  readonly #abort = new AbortController();
  /** Whole messages that nobody has taken, oldest first. */
  readonly #messages: string[] = [];
  /** Text that a question interrupted. */
  #unfinished = "";
  /** Text of the paste that goes on; undefined between pastes. */
  #pasted: string | undefined;
  /** Enter was pressed, and no key has followed yet. */
  #entered: NodeJS.Timeout | undefined;
  #search: HistorySearch | undefined;
  /** Where Up and Down are in the history, and what was being typed before. */
  #recall: { at: number; readonly typed: string } | undefined;
  #hint: readonly string[] = [];
  #isOver = false;
  /** How many messages of `left` a question has quoted already. */
  #named = 0;
  #touchedAt = 0;
  #lastKey = "";
  #waiting: Waiting | undefined;

  /** Both streams belong to a terminal. `output` shows what is typed. */
  constructor(input: Input = process.stdin, output: Output = process.stderr, options: TypingOptions = {}) {
    this.#input = input;
    this.#view = new TypedView(output, options.live);
    this.#history = options.history ?? new History();
    this.#complete = options.complete ?? (() => []);
    this.#interrupt = options.onInterrupt ?? (() => void process.emit("SIGINT"));
    emitKeypressEvents(input);
    input.on("keypress", this.#onKey);
    input.setRawMode?.(true);
    input.resume();
    // A closed terminal ends the input.
    const over = () => this.#end();
    for (const event of ["end", "close", "error"]) input.on(event, over);
    this.#abort.signal.addEventListener("abort", () => {
      for (const event of ["end", "close"]) input.off(event, over);
    });
    this.#view.markPastes(true);
    process.once("exit", this.#unmark);
    process.on("SIGWINCH", this.#onResize);
    process.on("SIGCONT", this.#onContinue);
  }

  /** The next message, perhaps one that was typed earlier; undefined when the input ends or `signal` aborts. */
  async message(prompt: string, signal: AbortSignal): Promise<string | undefined> {
    const early = this.#messages.shift();
    if (early !== undefined) {
      this.#named = Math.max(0, this.#named - 1);
      this.#view.keep(early, prompt);
      return early;
    }
    return this.#next("message", prompt, signal);
  }

  /** The answer to `question`, typed from now on; undefined when the input ends or `signal` aborts. */
  async answer(question: string, signal: AbortSignal): Promise<string | undefined> {
    await this.#quiet(signal);
    this.#setAside();
    const early = this.left.slice(this.#named).map((text) => `"${cutTo(escaped(text.trim()), MAX_QUOTED)}"`);
    this.#named = this.left.length;
    if (early.length > 0) this.#view.note(`Typed before this question, so not an answer to it: ${early.join(", ")}`);
    const answer = await this.#next("answer", question, signal);
    if (answer === undefined) this.#line.take();
    return answer;
  }

  /** Text that was typed and not taken. */
  get left(): readonly string[] {
    return [...this.#messages, this.#unfinished].filter((text) => text.trim() !== "");
  }

  [Symbol.dispose](): void {
    this.#end();
    this.#input.off("keypress", this.#onKey);
    this.#abort.abort();
    this.#input.setRawMode?.(false);
    this.#input.pause();
  }

  async #next(kind: Waiting["for"], prompt: string, signal: AbortSignal): Promise<string | undefined> {
    if (this.#isOver || signal.aborted) return undefined;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const stop = () => resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    this.#waiting = { for: kind, resolve };
    this.#view.begin(prompt);
    if (kind === "message") {
      const typed = this.#line.take();
      this.#line.set([this.#unfinished, typed].filter((text) => text !== "").join("\n"));
      this.#unfinished = "";
    }
    this.#show();
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#waiting = undefined;
      // It ended without an Enter.
      if (this.#view.hasPrompt) this.#view.keep("");
    }
  }

  readonly #onKey = (typed: string | undefined, key: Key): void => {
    if (this.#isOver) return;
    const restMs = performance.now() - this.#touchedAt;
    this.#touchedAt = performance.now();
    // The end of a paste was lost.
    if (this.#pasted !== undefined && restMs > LOST_MS && key.ctrl === true && key.name === "c") this.#endPaste();
    if (key.name === "paste-start") this.#pasted = "";
    else if (key.name === "paste-end") this.#endPaste();
    else if (this.#pasted !== undefined) this.#pasted += key.sequence ?? typed ?? "";
    else this.#press(typed, key);
    this.#lastKey = key.sequence ?? "";
    this.#show();
  };

  #endPaste(): void {
    const text = linesOf(this.#pasted ?? "");
    this.#pasted = undefined;
    if (this.#waiting?.for !== "answer") return this.#line.insert(text);
    // A paste answers nothing: it is the next message.
    this.#unfinished = [this.#unfinished, text].filter((part) => part !== "").join("\n");
  }

  #press(typed: string | undefined, key: Key): void {
    const { name, ctrl, meta } = key;
    if (this.#entered !== undefined) {
      // Windows pastes both characters.
      if (this.#lastKey === "\r" && key.sequence === "\n") return;
      const isEnd = ctrl === true && (name === "c" || name === "d");
      if (isEnd) this.#settle();
      else this.#goOn();
    }
    this.#hint = [];
    if (ctrl && name === "c") return this.#interrupted();
    if (ctrl && name === "r" && this.#waiting?.for !== "answer") return this.#searchOn();
    if (this.#search !== undefined && this.#searched(typed, key)) return;
    if (name === "return" && !meta) return this.#enter();
    if (name === "enter" || name === "return") return this.#line.insert("\n");
    if (ctrl && name === "d" && this.#line.text === "") return this.#end();
    if (ctrl && name === "z") return this.#suspend();
    if (ctrl && name === "l") return this.#view.clearScreen();
    if (name === "tab") return this.#tab();
    if (this.#line.press(key)) return;
    if (name === "up" || (ctrl && name === "p")) return this.#recalled(-1);
    if (name === "down" || (ctrl && name === "n")) return this.#recalled(1);
    if (typed !== undefined && !ctrl && !meta && isPrintable(typed)) this.#line.insert(typed);
  }

  /** What follows Enter at once belongs to the same text. */
  #goOn(): void {
    clearTimeout(this.#entered);
    this.#entered = undefined;
    this.#line.insert("\n");
  }

  #interrupted(): void {
    this.#search = undefined;
    this.#interrupt();
  }

  /** Messages that nobody has taken stand in the line again, to be changed or sent. */
  takeBack(): void {
    const typed = [...this.#messages.splice(0), this.#line.take()].filter((text) => text !== "");
    this.#named = 0;
    // A question may still be asked: they are no answer to it.
    if (this.#waiting?.for === "answer") this.#unfinished = typed.join("\n");
    else this.#line.set(typed.join("\n"));
    this.#show();
  }

  /** Empties the line that is being typed; returns whether there was text. */
  drop(): boolean {
    const dropped = this.#line.take() !== "";
    this.#show();
    return dropped;
  }

  /** Enter ends the text unless more keys follow at once. */
  #enter(): void {
    if (this.#waiting?.for !== "answer" && this.#line.cursor === this.#line.text.length) {
      if (this.#line.text.endsWith("\\")) {
        this.#line.set(`${this.#line.text.slice(0, -1)}\n`);
        return;
      }
    }
    const entered = setTimeout(() => {
      // On a busy machine the time is over before keys that have come are read.
      setImmediate(() => {
        if (this.#entered === entered) this.#settle();
      });
    }, BURST_MS);
    this.#entered = entered;
  }

  #settle(): void {
    clearTimeout(this.#entered);
    this.#entered = undefined;
    const text = this.#line.take();
    this.#recall = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) {
      // Enter alone is no message while nobody waits.
      if (text.trim() !== "") this.#messages.push(text);
      return this.#show();
    }
    if (waiting.for === "message") this.#history.add(text);
    this.#view.keep(text);
    waiting.resolve(text);
  }

  #tab(): void {
    if (this.#waiting?.for !== "message") return;
    const before = this.#line.text.slice(0, this.#line.cursor);
    const { insert, choices } = completed(before, this.#complete(before));
    this.#line.insert(insert);
    this.#hint = choices;
  }

  #recalled(step: number): void {
    if (this.#waiting?.for === "answer") return;
    const { entries } = this.#history;
    this.#recall ??= { at: entries.length, typed: this.#line.text };
    const at = Math.min(Math.max(0, this.#recall.at + step), entries.length);
    this.#recall.at = at;
    this.#line.set(entries[at] ?? this.#recall.typed);
  }

  #searchOn(): void {
    if (this.#search === undefined) this.#search = new HistorySearch(this.#history.entries);
    else this.#search.older();
  }

  /** Whether the search took the key. */
  #searched(typed: string | undefined, key: Key): boolean {
    const taken = this.#search?.press(typed, key);
    if (taken === "goes on") return true;
    const found = this.#search?.found;
    this.#search = undefined;
    if (taken === "given up") return true;
    if (found !== undefined) this.#line.set(found);
    return false;
  }

  #show(): void {
    if (this.#isOver) return;
    this.#view.show(() => {
      const { found, prompt } = this.#search ?? {};
      const isSearching = prompt !== undefined;
      return {
        text: isSearching ? (found ?? "") : this.#line.text,
        cursor: isSearching ? 0 : this.#line.cursor,
        prompt,
        isWanted: this.#waiting !== undefined,
        early: this.#messages.length,
        hints: this.#hint,
      };
    });
  }

  /** What stands in the line, and in the paste that goes on, is no answer to the question that comes. */
  #setAside(): void {
    clearTimeout(this.#entered);
    this.#entered = undefined;
    this.#search = undefined;
    const parts = [this.#unfinished, this.#line.take(), linesOf(this.#pasted ?? "")];
    if (this.#pasted !== undefined) this.#pasted = "";
    this.#unfinished = parts.filter((part) => part !== "").join("\n");
    this.#show();
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
    if (this.#isOver) return;
    if (this.#entered !== undefined) this.#settle();
    this.#isOver = true;
    if (this.#waiting?.for !== "answer") {
      this.#unfinished = [this.#unfinished, this.#line.take()].filter((text) => text !== "").join("\n");
    }
    this.#waiting?.resolve(undefined);
    this.#view.end();
    process.off("SIGWINCH", this.#onResize);
    process.off("SIGCONT", this.#onContinue);
    this.#unmark();
    process.off("exit", this.#unmark);
  }

  /** Ctrl-Z: the shell gets the terminal until it wakes this process. */
  #suspend(): void {
    if (process.platform === "win32") return;
    this.#input.setRawMode?.(false);
    process.kill(0, "SIGTSTP");
  }

  readonly #onContinue = (): void => {
    this.#input.setRawMode?.(true);
    this.#show();
  };

  readonly #onResize = (): void => this.#show();

  readonly #unmark = (): void => this.#view.markPastes(false);
}

function isPrintable(typed: string): boolean {
  return typed >= " " && typed !== "\x7f";
}

/** Pasted text with line breaks as `\n`: terminals send those of a paste as Enter. */
function linesOf(pasted: string): string {
  return pasted.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
}
