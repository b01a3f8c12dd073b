// A typed line on a terminal that obeys no escape sequence: characters appear as they are typed, and Backspace takes the last one back.
// What was typed while nobody waited appears with the next prompt.
import { manyLines, widthOf } from "../terminal-text.ts";
import type { Output } from "./live-area.ts";

export class DumbLine {
  readonly #output: Output;
  #prompt = "";
  #shown = "";

  constructor(output: Output) {
    this.#output = output;
  }

  begin(prompt: string): void {
    [this.#prompt, this.#shown] = [prompt, ""];
    this.#output.write(prompt);
  }

  show(text: string): void {
    const wanted = manyLines(text);
    if (wanted.startsWith(this.#shown)) this.#output.write(wanted.slice(this.#shown.length));
    else if (this.#shown.startsWith(wanted) && !this.#shown.slice(wanted.length).includes("\n")) {
      this.#output.write("\b \b".repeat(widthOf(this.#shown.slice(wanted.length))));
    } else this.#output.write(`\n${this.#prompt}${wanted}`);
    this.#shown = wanted;
  }

  /** Ends the line; `whole` is shown instead where nothing was shown yet. */
  end(whole: string): void {
    this.#output.write(`${whole}\n`);
    [this.#prompt, this.#shown] = ["", ""];
  }
}
