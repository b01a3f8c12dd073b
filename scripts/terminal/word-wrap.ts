// Breaks text between words as it streams: a terminal would break it within them. Lines that are laid out already stay as they are.
import { widthOf } from "./terminal-text.ts";

/** Indented, a table's row or code: a break in it would change what it says. */
const LAID_OUT = /^(?:\s|\||`)/;

export class WordWrap {
  readonly #width: () => number;
  /** What of the line has been given out, in columns. */
  #column = 0;
  #spaces = "";
  #word = "";
  #isLaidOut = false;
  #isFence = false;

  /** `width` is asked at each word: a window may change its size. */
  constructor(width: () => number) {
    this.#width = width;
  }

  /** What can be shown of all that came; the last word is kept until it is known to be whole. */
  take(text: string): string {
    let shown = "";
    for (const piece of text.match(/\n|[ \t]+|[^ \t\n]+/g) ?? []) {
      if (piece === "\n") {
        shown += `${this.end()}\n`;
        [this.#column, this.#isLaidOut] = [0, false];
      } else if (/^[ \t]/.test(piece)) {
        shown += this.#endWord();
        this.#spaces += piece;
      } else {
        this.#word += piece;
      }
    }
    return shown;
  }

  /** The rest. */
  end(): string {
    const shown = this.#endWord() + this.#spaces;
    this.#spaces = "";
    return shown;
  }

  #endWord(): string {
    const word = this.#word;
    if (word === "") return "";
    if (this.#column === 0) {
      if (word.startsWith("```")) this.#isFence = !this.#isFence;
      this.#isLaidOut = this.#isFence || LAID_OUT.test(this.#spaces + word);
    }
    const wide = widthOf(word);
    const after = this.#column + this.#spaces.length + wide;
    const breaks = !this.#isLaidOut && this.#column > 0 && after > this.#width();
    const shown = `${breaks ? "\n" : this.#spaces}${word}`;
    this.#column = breaks ? wide : after;
    [this.#word, this.#spaces] = ["", ""];
    return shown;
  }
}
