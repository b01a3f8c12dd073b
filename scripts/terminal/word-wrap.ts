// Breaks streaming text between words, where a terminal would break within them. Lines with a layout of their own stay
// unchanged.
import { widthOf } from "./terminal-text.ts";

/** Indented text, a table's row, or code: a line break would change its meaning. */
const LAID_OUT = /^(?:\s|\||`)/;

export class WordWrap {
  readonly #width: () => number;
  /** Columns of the present line that were returned already. */
  #column = 0;
  #spaces = "";
  #word = "";
  #isLaidOut = false;
  #isFence = false;

  /** `width` is called at each word: a window may change its size. */
  constructor(width: () => number) {
    this.#width = width;
  }

  /** Takes the next piece of text; returns what can be shown. The last word is kept until it is complete. */
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

  /** Returns the rest. */
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
