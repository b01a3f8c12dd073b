// The terminal's input as messages and as answers to questions. Text that was typed while nobody waited becomes the next message, and
// neither it nor anything pasted ever answers a question.
import { emitKeypressEvents } from "node:readline";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";

import { escaped } from "#shared/text/visible.ts";

import { cutTo } from "../terminal-text.ts";
import { type Complete, completed } from "./completion.ts";
import { DumbLine } from "./dumb-line.ts";
import { History } from "./history.ts";
import { HistorySearch } from "./history-search.ts";
import { layoutOf } from "./layout.ts";
import { type Key, LineEditor } from "./line-editor.ts";
import { LiveArea, type Output } from "./live-area.ts";

/** Keys that follow Enter faster were pasted along with it: the text goes on. */
const BURST_MS = 50;
/** A question is asked after this pause in typing: then the terminal holds no older text. */
const QUIET_MS = 100;
/** A paste does not stop for so long. */
const LOST_MS = 1_000;
const MAX_QUOTED = 60;
/** Rows of typed text that are shown at a time. */
const MOST_ROWS = 10;
/** Bracketed paste (https://invisible-island.net/xterm/ctlseqs): the terminal marks the beginning and the end of a paste. */
const [MARK_PASTES, MARK_NO_PASTES] = ["\x1b[?2004h", "\x1b[?2004l"];

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
  readonly #output: Output;
  readonly #live: LiveArea | undefined;
  readonly #dumb: DumbLine | undefined;
  readonly #line = new LineEditor();
  readonly #history: History;
  readonly #complete: Complete;
  readonly #interrupt: () => void;
  readonly #abort = new AbortController();
  /** Whole messages that nobody has taken, oldest first. */
  readonly #messages: string[] = [];
  /** Text that a question interrupted. */
  #unfinished = "";
  #prompt = "";
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
  #redraw: NodeJS.Immediate | undefined;
  #lastKey = "";
  #waiting: Waiting | undefined;

  /** Both streams belong to a terminal. `output` shows what is typed. */
  constructor(input: Input = process.stdin, output: Output = process.stderr, options: TypingOptions = {}) {
    [this.#input, this.#output] = [input, output];
    const isDumb = process.env["TERM"] === "dumb";
    this.#live = isDumb ? undefined : (options.live ?? new LiveArea(output));
    this.#dumb = isDumb ? new DumbLine(output) : undefined;
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
    if (isDumb) return;
    output.write(MARK_PASTES);
    process.once("exit", this.#unmark);
    process.on("SIGWINCH", this.#onResize);
    process.on("SIGCONT", this.#onContinue);
  }

  /** The next message, perhaps one that was typed earlier; undefined when the input ends or `signal` aborts. */
  async message(prompt: string, signal: AbortSignal): Promise<string | undefined> {
    const early = this.#messages.shift();
    if (early !== undefined) {
      this.#named = Math.max(0, this.#named - 1);
      this.#keep(prompt, early);
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
    if (early.length > 0) this.#note(`Typed before this question, so not an answer to it: ${early.join(", ")}`);
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
    this.#begin(prompt);
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
      if (this.#prompt !== "") this.#keep(this.#prompt, "");
    }
  }

  /** Shows the prompt: its last line stands before the text, the lines above stay on the screen. */
  #begin(prompt: string): void {
    const own = prompt.slice(prompt.lastIndexOf("\n") + 1);
    const lead = prompt.slice(0, prompt.length - own.length);
    if (lead !== "") this.#write(lead);
    this.#prompt = own;
    this.#dumb?.begin(own);
  }

  /** Leaves the prompt and what was typed on the screen. */
  #keep(prompt: string, text: string): void {
    const isShown = this.#prompt !== "";
    // A dumb terminal shows the last keys first.
    if (isShown && this.#dumb !== undefined) this.#dumb.show(text);
    this.#noRedraw();
    this.#prompt = "";
    const lead = prompt.slice(0, prompt.lastIndexOf("\n") + 1);
    const rows = layoutOf(prompt.slice(lead.length), text, 0, this.#live?.columns ?? 80, Infinity).rows;
    if (this.#dumb !== undefined) {
      this.#dumb.end(isShown ? "" : `${lead}${rows.join("\n")}`);
      return;
    }
    this.#live?.set("typed", []);
    this.#live?.draw();
    this.#write(`${lead}${rows.join("\n")}\n`);
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
    if (ctrl && name === "l") return this.#clearScreen();
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
    this.#line.set(typed.join("\n"));
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
    this.#keep(this.#prompt, text);
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

  /** Draws what is typed, once for all keys that come at once: a paste may have thousands. */
  #show(): void {
    this.#redraw ??= setImmediate(() => this.#draw());
  }

  #draw(): void {
    this.#noRedraw();
    if (this.#isOver) return;
    const isTyping = this.#waiting !== undefined || this.#line.text !== "" || this.#messages.length > 0;
    if (this.#dumb !== undefined) {
      if (this.#waiting !== undefined) this.#dumb.show(this.#line.text);
      return;
    }
    if (!isTyping) return this.#live?.set("typed", []);
    const columns = this.#live?.columns ?? 80;
    const most = Math.max(1, Math.min(MOST_ROWS, (this.#live?.rows ?? 24) - 3));
    const search = this.#search;
    const [prompt, text, at] =
      search === undefined
        ? [this.#waiting === undefined ? "> " : this.#prompt, this.#line.text, this.#line.cursor]
        : [search.prompt, search.found ?? "", 0];
    const { rows, cursor } = layoutOf(prompt, text, at, columns, most);
    const waiting = this.#messages.length;
    const early = waiting === 0 ? [] : [cutTo(`  ${waiting} more to be sent after the answer`, columns - 1)];
    const hints = this.#hint.map((hint) => cutTo(`  ${hint}`, columns - 1));
    this.#live?.set("typed", [...rows, ...early, ...hints], cursor);
  }

  #noRedraw(): void {
    clearImmediate(this.#redraw);
    this.#redraw = undefined;
  }

  #note(text: string): void {
    this.#write(`${text}\n`);
  }

  #write(text: string): void {
    if (this.#live === undefined) this.#output.write(text);
    else this.#live.above(() => this.#output.write(text));
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
    this.#live?.set("typed", []);
    this.#live?.draw();
    process.off("SIGWINCH", this.#onResize);
    process.off("SIGCONT", this.#onContinue);
    this.#unmark();
    process.off("exit", this.#unmark);
  }

  #clearScreen(): void {
    this.#live?.above(() => this.#output.write("\x1b[2J\x1b[H"));
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

  readonly #unmark = (): void => {
    if (this.#dumb === undefined) this.#output.write(MARK_NO_PASTES);
  };
}

function isPrintable(typed: string): boolean {
  return typed >= " " && typed !== "\x7f";
}

/** Pasted text with line breaks as `\n`: terminals send those of a paste as Enter. */
function linesOf(pasted: string): string {
  return pasted.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
}
