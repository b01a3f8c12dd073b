// An answer on the screen while it streams: Markdown block by block on a terminal, plain text on a dumb one, and unchanged text where
// stdout is none. Its unfinished block stands in the live rows, so that no word waits for its paragraph.
import { parseJson } from "#shared/text/parse-json.ts";

import type { Io } from "../../terminal/io.ts";
import { MarkdownStream } from "../../terminal/markdown/markdown-stream.ts";
import { paints, screenOf } from "../../terminal/screen.ts";
import { manyLines } from "../../terminal/terminal-text.ts";
import { WordWrap } from "../../terminal/word-wrap.ts";

export interface AnswerView {
  /** A piece of the answer. `fresh`: it replaces all earlier pieces, which stay on the screen above an empty line. */
  take(text: string, fresh: boolean): void;
  /** Nothing more comes for now: shows what is left, and ends its line. */
  end(): void;
}

/** Lines are not longer than this: wide ones are hard to read. */
const MOST_COLUMNS = 100;

/** Undefined where nobody watches: then the answer is printed at its end. */
export function answerView(io: Io): AnswerView | undefined {
  const { isTerminal } = screenOf(process.stdout);
  if (io.live !== undefined && isTerminal) return new MarkdownView(io, io.live);
  if (!io.interactive) return undefined;
  const wrap = new WordWrap(() => screenOf(process.stdout).columns);
  return new PlainView(io, isTerminal ? wrap : undefined);
}

class MarkdownView implements AnswerView {
  readonly #io: Io;
  readonly #live: NonNullable<Io["live"]>;
  #stream: MarkdownStream;
  #hasShown = false;

  constructor(io: Io, live: NonNullable<Io["live"]>) {
    [this.#io, this.#live] = [io, live];
    this.#stream = this.#fresh();
    // The first use of the library takes its time: now, not when the first word has come.
    const first = this.#fresh();
    first.take("*a*\n");
    first.preview(1);
  }

  take(text: string, fresh: boolean): void {
    if (fresh) this.#anew(text);
    this.#keep(this.#stream.take(fresh ? asCode(text) : text));
    this.#live.set("text", this.#stream.preview(Math.max(3, this.#live.rows - 8)));
  }

  end(): void {
    this.#live.set("text", []);
    this.#keep(this.#stream.end());
    this.#stream = this.#fresh();
  }

  /** What the model wrote before a tool call is kept; what comes now stands apart from it. */
  #anew(text: string): void {
    this.#keep(this.#stream.end());
    this.#stream = this.#fresh();
    if (this.#hasShown && text !== "") this.#keep([""]);
  }

  #keep(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#live.set("text", []);
    this.#io.write(`${lines.join("\n")}\n`);
    this.#hasShown = true;
  }

  #fresh(): MarkdownStream {
    return new MarkdownStream(() => {
      const { colours } = screenOf(process.stdout);
      const width = Math.min(MOST_COLUMNS, this.#live.columns - 1);
      return { width, colours, strict: false, paint: paints({ colours }) };
    });
  }
}

/** Data that came as a whole keeps its indentation. */
function asCode(text: string): string {
  return /^\s*[[{]/.test(text) && parseJson(text) !== undefined ? `\`\`\`\n${text}\n\`\`\`\n` : text;
}

class PlainView implements AnswerView {
  readonly #io: Io;
  readonly #wrap: WordWrap | undefined;
  #printed = "";
  /** The line is not ended. */
  #isOpen = false;

  constructor(io: Io, wrap: WordWrap | undefined) {
    [this.#io, this.#wrap] = [io, wrap];
  }

  take(text: string, fresh: boolean): void {
    const write = (shown: string): void => this.#io.write(shown);
    if (fresh && text !== "" && this.#printed.trim() !== "") write(`${this.#wrap?.take("\n") ?? "\n"}\n`);
    this.#printed = fresh ? text : this.#printed + text;
    write(this.#wrap === undefined ? text : this.#wrap.take(manyLines(text)));
    this.#isOpen = true;
  }

  end(): void {
    if (!this.#isOpen) return;
    if (this.#wrap !== undefined) this.#io.write(this.#wrap.end());
    this.#io.print("");
    this.#isOpen = false;
  }
}
