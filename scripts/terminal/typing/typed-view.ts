// The typed text on the screen, with its prompt: in live rows, or character by character on a dumb terminal.
import { cutTo } from "../terminal-text.ts";
import { DumbLine } from "./dumb-line.ts";
import { layoutOf } from "./layout.ts";
import { LiveArea, type Output } from "./live-area.ts";

/** Rows of typed text that are shown at a time. */
const MOST_ROWS = 10;
/** Bracketed paste (https://invisible-island.net/xterm/ctlseqs): the terminal marks the beginning and the end of a paste. */
const [MARK_PASTES, MARK_NO_PASTES] = ["\x1b[?2004h", "\x1b[?2004l"];

export interface Typed {
  readonly text: string;
  readonly cursor: number;
  /** Stands before the text instead of the prompt. */
  readonly prompt?: string | undefined;
  /** Somebody waits for the text. */
  readonly isWanted: boolean;
  /** Complete messages that nobody has taken. */
  readonly early: number;
  /** What the Tab key offers. */
  readonly hints: readonly string[];
}

export class TypedView {
  readonly #output: Output;
  readonly #live: LiveArea | undefined;
  readonly #dumb: DumbLine | undefined;
  /** The last line of the prompt that is shown; empty for none. */
  #prompt = "";
  #redraw: NodeJS.Immediate | undefined;

  /** `live`: rows that others use, too. */
  constructor(output: Output, live: LiveArea | undefined) {
    this.#output = output;
    const isDumb = process.env["TERM"] === "dumb";
    this.#live = isDumb ? undefined : (live ?? new LiveArea(output));
    this.#dumb = isDumb ? new DumbLine(output) : undefined;
  }

  get hasPrompt(): boolean {
    return this.#prompt !== "";
  }

  /** Shows the prompt: its last line stands before the text, the lines above stay on the screen. */
  begin(prompt: string): void {
    const own = prompt.slice(prompt.lastIndexOf("\n") + 1);
    const lead = prompt.slice(0, prompt.length - own.length);
    if (lead !== "") this.#write(lead);
    this.#prompt = own;
    this.#dumb?.begin(own);
  }

  /** Leaves the prompt and the text on the screen. `prompt`: where it was not shown before. */
  keep(text: string, prompt = this.#prompt): void {
    const isShown = this.hasPrompt;
    this.#cancelRedraw();
    const lead = prompt.slice(0, prompt.lastIndexOf("\n") + 1);
    const { rows } = layoutOf(prompt.slice(lead.length), text, 0, this.#live?.columns ?? 80, Infinity);
    this.#prompt = "";
    if (this.#dumb === undefined) {
      this.#live?.set("typed", []);
      this.#live?.draw();
      this.#write(`${lead}${rows.join("\n")}\n`);
      return;
    }
    // The last keys are not shown yet.
    if (isShown) this.#dumb.show(text);
    this.#dumb.end(isShown ? "" : `${lead}${rows.join("\n")}`);
  }

  /** Draws what `look` returns, once for all keys that come at once: a paste may have thousands. */
  show(look: () => Typed): void {
    this.#redraw ??= setImmediate(() => {
      this.#redraw = undefined;
      this.#draw(look());
    });
  }

  /** A line above the typed text. */
  note(text: string): void {
    this.#write(`${text}\n`);
  }

  clearScreen(): void {
    this.#live?.above(() => this.#output.write("\x1b[2J\x1b[H"));
  }

  /** Takes the text off the screen for good. */
  end(): void {
    this.#cancelRedraw();
    this.#live?.set("typed", []);
    this.#live?.draw();
  }

  markPastes(areMarked: boolean): void {
    if (this.#dumb === undefined) this.#output.write(areMarked ? MARK_PASTES : MARK_NO_PASTES);
  }

  #draw({ text, cursor, prompt, isWanted, early, hints }: Typed): void {
    if (this.#dumb !== undefined) {
      if (isWanted) this.#dumb.show(text);
      return;
    }
    if (!isWanted && text === "" && early === 0) return this.#live?.set("typed", []);
    const columns = this.#live?.columns ?? 80;
    const most = Math.max(1, Math.min(MOST_ROWS, (this.#live?.rows ?? 24) - 3));
    const before = prompt ?? (isWanted ? this.#prompt : "> ");
    const shown = layoutOf(before, text, cursor, columns, most);
    const more = early === 0 ? [] : [`  ${early} more to be sent after the answer`];
    const below = [...more, ...hints.map((hint) => `  ${hint}`)].map((row) => cutTo(row, columns - 1));
    this.#live?.set("typed", [...shown.rows, ...below], shown.cursor);
  }

  #cancelRedraw(): void {
    clearImmediate(this.#redraw);
    this.#redraw = undefined;
  }

  #write(text: string): void {
    if (this.#live === undefined) this.#output.write(text);
    else this.#live.above(() => this.#output.write(text));
  }
}
