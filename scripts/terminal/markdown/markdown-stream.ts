// Markdown that is still being written: each block becomes lines once it is complete, and stays as it is. What is not complete can be
// shown meanwhile.
import { Lexer, type MarkedToken } from "marked";

import { manyLines } from "../terminal-text.ts";
import { codeLine, linesOfBlock, linesOfBlocks, needsGap } from "./blocks.ts";
import { known, type Look } from "./pieces.ts";

/** Characters of incomplete text that are looked at for a preview: its end is what fits on the screen. */
const MOST_PREVIEWED = 4_000;
const FENCE = /^ {0,3}(`{3,}|~{3,})[^\n`]*\n/;
/** Blocks that an empty line ends. */
const ENDED_BY_BLANK: ReadonlySet<string> = new Set(["paragraph", "table", "def", "blockquote"]);
/** Blocks of one line. */
const ENDED_AT_ONCE: ReadonlySet<string> = new Set(["heading", "hr"]);

export class MarkdownStream {
  readonly #look: () => Look;
  /** Whole lines of blocks that are not complete, safe to show. */
  #open = "";
  /** The line that is being written, as it came. */
  #line = "";
  /** What closes the code block that is being written. */
  #fence: string | undefined;
  #isFirst = true;
  /** An empty line was before. */
  #isApart = false;
  /** A long block is looked at again when it has grown to this. */
  #nextLook = 0;

  /** `look` is asked for anew at each block: a window may change its size. */
  constructor(look: () => Look) {
    this.#look = look;
  }

  /** Takes the next piece of text; returns the lines of blocks that it completes. */
  take(text: string): string[] {
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop() ?? "";
    if (lines.length === 0) return [];
    this.#open += `${manyLines(lines.join("\n"))}\n`;
    return this.#complete();
  }

  /** The lines of all that is left. */
  end(): string[] {
    this.#open += manyLines(this.#line);
    this.#line = "";
    const shown = this.#fence === undefined ? [] : this.#code();
    if (this.#open.trim() === "" || this.#fence !== undefined) return [...shown, ...this.#codeRest()];
    const tokens = lexed(this.#open);
    this.#open = "";
    return [...shown, ...tokens.flatMap((token) => this.#shown(token))];
  }

  /** Lines of what is not complete, at most `most` of them: the last ones. */
  preview(most: number): string[] {
    const text = (this.#open + manyLines(this.#line)).slice(-MOST_PREVIEWED);
    if (text.trim() === "" || most <= 0) return [];
    const look = { ...this.#look(), strict: true };
    const lines =
      this.#fence === undefined
        ? linesOfBlocks(lexed(text), look)
        : text
            .trimEnd()
            .split("\n")
            .map((line) => codeLine(line, look));
    const gap = this.#isFirst || this.#fence !== undefined ? [] : [""];
    return [...gap, ...lines].slice(-most);
  }

  #complete(): string[] {
    const shown: string[] = [];
    for (;;) {
      if (this.#fence !== undefined) shown.push(...this.#code());
      if (this.#fence !== undefined) return shown;
      const fence = FENCE.exec(this.#open);
      if (fence !== null) {
        shown.push(...this.#gap(true));
        this.#open = this.#open.slice(fence[0].length);
        this.#fence = fence[1] ?? "";
        continue;
      }
      const before = this.#open;
      shown.push(...this.#blocks());
      if (this.#open === before) return shown;
    }
  }

  /** Lines of code as they come, and the end of the block. */
  #code(): string[] {
    const shown: string[] = [];
    const close = this.#fence ?? "";
    for (;;) {
      const end = this.#open.indexOf("\n");
      if (end < 0) return shown;
      const line = this.#open.slice(0, end);
      this.#open = this.#open.slice(end + 1);
      const bare = line.trim();
      if (bare.length >= close.length && bare === close.charAt(0).repeat(bare.length)) {
        this.#fence = undefined;
        return shown;
      }
      shown.push(codeLine(line, this.#look()));
    }
  }

  #codeRest(): string[] {
    const [rest, close] = [this.#open, this.#fence];
    [this.#open, this.#fence] = ["", undefined];
    return rest.trim() === "" || rest.trim() === close ? [] : [codeLine(rest, this.#look())];
  }

  #blocks(): string[] {
    if (this.#open.length < this.#nextLook) return [];
    const tokens = lexed(this.#open);
    const last = tokens.findLastIndex(({ type }) => type !== "space");
    const { type = "" } = tokens[last] ?? {};
    const isComplete = ENDED_AT_ONCE.has(type) || (ENDED_BY_BLANK.has(type) && last < tokens.length - 1);
    const complete = tokens.slice(0, isComplete ? tokens.length : Math.max(0, last));
    const source = complete.map(({ raw }) => raw).join("");
    if (source === "" || !this.#open.startsWith(source)) {
      this.#nextLook = this.#open.length < MOST_PREVIEWED ? 0 : this.#open.length * 1.25;
      return [];
    }
    this.#nextLook = 0;
    this.#open = this.#open.slice(source.length);
    return complete.flatMap((token) => this.#shown(token));
  }

  #shown(token: MarkedToken): string[] {
    if (token.type === "space") this.#isApart = true;
    const lines = linesOfBlock(token, this.#look());
    if (lines.length === 0) return [];
    const gap = this.#gap(needsGap(token, this.#isApart));
    this.#isApart = token.raw.endsWith("\n\n");
    return [...gap, ...lines];
  }

  #gap(isWanted: boolean): string[] {
    const gap = isWanted && !this.#isFirst ? [""] : [];
    this.#isFirst = false;
    return gap;
  }
}

function lexed(text: string): MarkedToken[] {
  return new Lexer({ gfm: true }).lex(text).map(known);
}
