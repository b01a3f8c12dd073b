// The last rows of a terminal, drawn anew as they change, below the text that stays: the unfinished part of an answer, a row for each
// working agent, and the line that is typed. Never used on a dumb terminal.
import { stripVTControlCharacters } from "node:util";

import { widthOf } from "../terminal-text.ts";

/** From top to bottom. */
const SLOTS = ["text", "activity", "typed"] as const;
export type Slot = (typeof SLOTS)[number];

/** Where the cursor stands: after `before` in one of the rows. */
export interface Cursor {
  readonly row: number;
  readonly before: string;
}

export interface Output {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
}

export class LiveArea {
  readonly #output: Output;
  readonly #slots = new Map<Slot, readonly string[]>();
  #cursor: Cursor | undefined;
  /** Rows on the screen, and where the cursor was left. */
  #drawn: readonly string[] = [];
  #at: Cursor = { row: 0, before: "" };
  #redraw: NodeJS.Immediate | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  get columns(): number {
    return this.#output.columns || 80;
  }

  get rows(): number {
    return this.#output.rows || 24;
  }

  /** Shows these rows in a slot, each narrower than the terminal. `cursor` counts within them. */
  set(slot: Slot, rows: readonly string[], cursor?: Cursor): void {
    if (rows.length === 0 && (this.#slots.get(slot) ?? []).length === 0) return;
    this.#slots.set(slot, rows);
    if (slot === "typed") this.#cursor = cursor;
    // Many keys and words come at once: they are drawn together.
    this.#redraw ??= setImmediate(() => this.draw());
  }

  /** Runs `write`, which puts whole lines on the terminal, above the rows. */
  above(write: () => void): void {
    const isEmpty = this.#drawn.length === 0;
    if (!isEmpty) this.#output.write(this.#erasure());
    write();
    if (!isEmpty) this.draw();
  }

  /** Takes all rows off the screen, and forgets them. */
  clear(): void {
    this.#slots.clear();
    this.#cursor = undefined;
    this.draw();
  }

  /** Draws now what was set last. */
  draw(): void {
    clearImmediate(this.#redraw);
    this.#redraw = undefined;
    const rows = this.#wanted();
    if (rows.length === 0 && this.#drawn.length === 0) return;
    const erased = this.#erasure();
    const typed = this.#slots.get("typed") ?? [];
    const last = { row: rows.length - 1, before: rows.at(-1) ?? "" };
    const inTyped = this.#cursor && { ...this.#cursor, row: rows.length - typed.length + this.#cursor.row };
    const at = inTyped ?? last;
    const up = last.row - at.row;
    // Writing the text before the cursor once more puts it where the terminal ends that text, however wide it takes a character to be.
    const back = inTyped === undefined ? "" : `${up > 0 ? `\x1b[${up}A` : ""}\r${at.before}`;
    this.#output.write(erased + rows.join("\n") + back);
    [this.#drawn, this.#at] = [rows, rows.length === 0 ? { row: 0, before: "" } : at];
  }

  /** The last rows that fit on the screen. */
  #wanted(): readonly string[] {
    const all = SLOTS.flatMap((slot) => this.#slots.get(slot) ?? []);
    const most = Math.max(2, this.rows - 1);
    return all.length <= most ? all : all.slice(-most);
  }

  /** Goes back to the first row and clears the screen from there. A narrower window shows a row on several lines. */
  #erasure(): string {
    if (this.#drawn.length === 0) return "";
    const lines = (text: string) => Math.max(1, Math.ceil(widthOf(stripVTControlCharacters(text)) / this.columns));
    let up = lines(this.#at.before) - 1;
    for (const row of this.#drawn.slice(0, this.#at.row)) up += lines(row);
    this.#drawn = [];
    return `${up > 0 ? `\x1b[${up}A` : ""}\r\x1b[J`;
  }
}
