// The text that is being typed, and what keys do to it. Several lines are one text. Knows no terminal.
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const WORD = /[\p{L}\p{N}\p{M}_]/u;

/** A key as node:readline names it. */
export interface Key {
  readonly name?: string | undefined;
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
}

export class LineEditor {
  #text = "";
  /** Index into the text, never within a character that a person sees. */
  #cursor = 0;
  /** What was cut last. */
  #cut = "";

  get text(): string {
    return this.#text;
  }

  get cursor(): number {
    return this.#cursor;
  }

  /** Replaces the text; the cursor stands at its end. */
  set(text: string): void {
    [this.#text, this.#cursor] = [text, text.length];
  }

  /** Empties the line; returns what stood there. */
  take(): string {
    const text = this.#text;
    this.set("");
    return text;
  }

  insert(text: string): void {
    if (this.#cursor === this.#text.length) return this.set(this.#text + text);
    this.#text = this.#text.slice(0, this.#cursor) + text + this.#text.slice(this.#cursor);
    this.#cursor += text.length;
  }

  /** Whether it was an editing key. Up and down are one within a text of several lines. */
  press({ name = "", ctrl = false, meta = false }: Key): boolean {
    const action = ACTIONS[`${ctrl ? "ctrl-" : ""}${meta ? "meta-" : ""}${name}`];
    return action?.(this) ?? false;
  }

  moveTo(index: number): true {
    this.#cursor = index;
    return true;
  }

  /** Removes the text between the cursor and `index`, and keeps it for `paste`. */
  cutTo(index: number): true {
    const [from, to] = [Math.min(index, this.#cursor), Math.max(index, this.#cursor)];
    if (from < to) this.#cut = this.#text.slice(from, to);
    return this.deleteTo(index);
  }

  deleteTo(index: number): true {
    const [from, to] = [Math.min(index, this.#cursor), Math.max(index, this.#cursor)];
    this.#text = this.#text.slice(0, from) + this.#text.slice(to);
    this.#cursor = from;
    return true;
  }

  paste(): true {
    this.insert(this.#cut);
    return true;
  }

  get before(): number {
    // A grapheme never reaches over a line's beginning, and none has more than a few dozen code units.
    const from = Math.max(0, this.#cursor - 64);
    const last = [...graphemes.segment(this.#text.slice(from, this.#cursor))].at(-1);
    return this.#cursor - (last?.segment.length ?? 0);
  }

  get after(): number {
    const [first] = graphemes.segment(this.#text.slice(this.#cursor, this.#cursor + 64));
    return this.#cursor + (first?.segment.length ?? 0);
  }

  get lineStart(): number {
    return this.#text.lastIndexOf("\n", this.#cursor - 1) + 1;
  }

  get lineEnd(): number {
    const end = this.#text.indexOf("\n", this.#cursor);
    return end < 0 ? this.#text.length : end;
  }

  get wordBefore(): number {
    let at = this.#cursor;
    while (at > 0 && !WORD.test(this.#text[at - 1] ?? "")) at -= 1;
    while (at > 0 && WORD.test(this.#text[at - 1] ?? "")) at -= 1;
    return at;
  }

  get wordAfter(): number {
    let at = this.#cursor;
    while (at < this.#text.length && !WORD.test(this.#text[at] ?? "")) at += 1;
    while (at < this.#text.length && WORD.test(this.#text[at] ?? "")) at += 1;
    return at;
  }

  /** Up within the lines; false on the first one. */
  up(): boolean {
    const start = this.lineStart;
    if (start === 0) return false;
    const column = this.#cursor - start;
    const above = this.#text.lastIndexOf("\n", start - 2) + 1;
    return this.#toColumn(above, start - 1, column);
  }

  /** Down within the lines; false on the last one. */
  down(): boolean {
    const end = this.lineEnd;
    if (end === this.#text.length) return false;
    const next = this.#text.indexOf("\n", end + 1);
    return this.#toColumn(end + 1, next < 0 ? this.#text.length : next, this.#cursor - this.lineStart);
  }

  /** To that many code units into the line from `start` to `end`, at the beginning of a whole character. */
  #toColumn(start: number, end: number, column: number): true {
    let at = start;
    for (const { index, segment } of graphemes.segment(this.#text.slice(start, end))) {
      if (index + segment.length > column) break;
      at = start + index + segment.length;
    }
    return this.moveTo(at);
  }
}

/** Keys as in GNU readline. */
const ACTIONS: Readonly<Record<string, (line: LineEditor) => boolean>> = {
  left: (line) => line.moveTo(line.before),
  "ctrl-b": (line) => line.moveTo(line.before),
  right: (line) => line.moveTo(line.after),
  "ctrl-f": (line) => line.moveTo(line.after),
  "ctrl-left": (line) => line.moveTo(line.wordBefore),
  "meta-left": (line) => line.moveTo(line.wordBefore),
  "meta-b": (line) => line.moveTo(line.wordBefore),
  "ctrl-right": (line) => line.moveTo(line.wordAfter),
  "meta-right": (line) => line.moveTo(line.wordAfter),
  "meta-f": (line) => line.moveTo(line.wordAfter),
  home: (line) => line.moveTo(line.lineStart),
  "ctrl-a": (line) => line.moveTo(line.lineStart),
  end: (line) => line.moveTo(line.lineEnd),
  "ctrl-e": (line) => line.moveTo(line.lineEnd),
  backspace: (line) => line.deleteTo(line.before),
  "ctrl-h": (line) => line.deleteTo(line.before),
  delete: (line) => line.deleteTo(line.after),
  "ctrl-d": (line) => line.deleteTo(line.after),
  "ctrl-k": (line) => line.cutTo(line.lineEnd === line.cursor ? line.after : line.lineEnd),
  "ctrl-u": (line) => line.cutTo(line.lineStart === line.cursor ? line.before : line.lineStart),
  "ctrl-w": (line) => line.cutTo(line.wordBefore),
  "meta-backspace": (line) => line.cutTo(line.wordBefore),
  "meta-d": (line) => line.cutTo(line.wordAfter),
  "ctrl-y": (line) => line.paste(),
  up: (line) => line.up(),
  "ctrl-p": (line) => line.up(),
  down: (line) => line.down(),
  "ctrl-n": (line) => line.down(),
};
