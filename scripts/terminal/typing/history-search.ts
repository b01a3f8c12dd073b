// Ctrl-R: searches the history backwards for what is typed.
import type { Key } from "./line-editor.ts";

export class HistorySearch {
  readonly #entries: readonly string[];
  #wanted = "";
  /** Index of the entry that was found. */
  #at: number;

  constructor(entries: readonly string[]) {
    this.#entries = entries;
    this.#at = entries.length;
  }

  get found(): string | undefined {
    return this.#wanted === "" ? undefined : this.#entries[this.#at];
  }

  get prompt(): string {
    const fails = this.#wanted !== "" && this.found === undefined;
    return `(${fails ? "not found" : "search"}: ${this.#wanted}) `;
  }

  /** The next older entry that fits, if there is one. */
  older(): void {
    this.#look(this.#at - 1, this.#at);
  }

  /** "done": the entry is taken, and the key counts for it. */
  press(typed: string | undefined, { name, ctrl, meta }: Key): "goes on" | "done" | "given up" {
    if (ctrl && name === "g") return "given up";
    if (name === "backspace") this.#wanted = [...this.#wanted].slice(0, -1).join("");
    else if (typed !== undefined && !ctrl && !meta && name !== "return" && name !== "tab" && typed >= " ") {
      if (typed.startsWith("\x1b")) return "done";
      this.#wanted += typed;
    } else return "done";
    this.#look(this.#entries.length - 1, -1);
    return "goes on";
  }

  #look(from: number, otherwise: number): void {
    const wanted = this.#wanted.toLowerCase();
    for (let at = from; at >= 0; at -= 1) {
      if (this.#entries[at]?.toLowerCase().includes(wanted)) {
        this.#at = at;
        return;
      }
    }
    this.#at = otherwise;
  }
}
