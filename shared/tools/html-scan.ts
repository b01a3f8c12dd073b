// Scans HTML in one pass: text, title, size and depth. Takes time and memory in proportion to the page, since it builds
// no tree, only the list of open elements. https://html.spec.whatwg.org/#tokenization
import { oneLine } from "../text/spaces.ts";
import { readTags, type TagReader } from "./html-tags.ts";
import { SKIPPED, TextWriter } from "./html-text.ts";

export interface ScannedPage {
  /** May be empty. One line. */
  readonly title: string;
  readonly text: string;
  readonly elements: number;
  /** Depth of the innermost element, and the sum over all elements. */
  readonly depth: number;
  readonly depths: number;
  /** Number of attributes, comments, entities and pieces of text. */
  readonly parts: number;
}

const VOID = new Set(
  "AREA BASE BASEFONT BR COL COMMAND EMBED FRAME HR IMG INPUT ISINDEX KEYGEN LINK META PARAM SOURCE TRACK WBR".split(
    " ",
  ),
);
/** Elements that end an open paragraph. */
const ENDS_PARAGRAPH = new Set(
  "P H1 H2 H3 H4 H5 H6 ADDRESS ARTICLE ASIDE BLOCKQUOTE DETAILS DIV DL FIELDSET FIGCAPTION FIGURE FOOTER FORM HEADER HR MAIN NAV OL PRE SECTION TABLE UL".split(
    " ",
  ),
);
/** Open elements that an element ends, because authors leave their end tags out. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  LI: ["LI"],
  DT: ["DT", "DD"],
  DD: ["DT", "DD"],
  TR: ["TR", "TH", "TD"],
  TH: ["TH", "TD"],
  TD: ["TH", "TD"],
  TBODY: ["THEAD", "TBODY", "TR", "TH", "TD"],
  TFOOT: ["THEAD", "TBODY", "TR", "TH", "TD"],
  OPTION: ["OPTION"],
  BODY: ["HEAD"],
};
const RAW = new Set(["SCRIPT", "STYLE"]);
const ESCAPED = /[&<>\u00a0]/g;
const LONGEST_TITLE = 1_000;

/** Yields after each slice of the page. */
export function* scanHtml(html: string): Generator<undefined, ScannedPage> {
  const page = new Page();
  yield* readTags(html, page);
  page.end();
  return page.read();
}

/** The open elements, and what has been read so far. */
class Page implements TagReader {
  readonly #writer = new TextWriter();
  readonly #open: string[] = [];
  /** Open elements by name: an end tag without an open element is recognised at once. */
  readonly #counts = new Map<string, number>();
  /** Number of open elements around the skipped one; -1 while nothing is skipped. */
  #skippedAt = -1;
  #elements = 0;
  #depth = 0;
  #depths = 0;
  #parts = 0;
  readonly #titles: Record<"TITLE" | "H1", { text: string; done: boolean }> = {
    TITLE: { text: "", done: false },
    H1: { text: "", done: false },
  };

  comment(): void {
    this.#parts += 1;
  }

  open(name: string, attributes: number): void {
    this.#parts += attributes;
    if (ENDS_PARAGRAPH.has(name) && this.#open.at(-1) === "P") this.#pop();
    while (ENDS[name]?.includes(this.#open.at(-1) ?? "")) this.#pop();
    this.#elements += 1;
    if (this.#skippedAt < 0) {
      if (SKIPPED.has(name)) this.#skippedAt = this.#open.length;
      else this.#writer.open(name);
    }
    this.#open.push(name);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.#depth = Math.max(this.#depth, this.#open.length);
    this.#depths += this.#open.length;
    if (VOID.has(name)) this.#pop();
  }

  close(name: string): void {
    if ((this.#counts.get(name) ?? 0) === 0) {
      // A tree has an element for some of these end tags.
      this.#elements += 1;
      return;
    }
    while (this.#open.at(-1) !== name) this.#pop();
    this.#pop();
  }

  text(text: string): void {
    // An escaped character becomes a part of its own when a tree is written and read again.
    this.#parts += 1 + (RAW.has(this.#open.at(-1) ?? "") ? 0 : (text.match(ESCAPED) ?? []).length);
    for (const name of ["TITLE", "H1"] as const) {
      const title = this.#titles[name];
      const inside = (this.#counts.get(name) ?? 0) > 0;
      if (inside && !title.done && title.text.length < LONGEST_TITLE) title.text += text.slice(0, LONGEST_TITLE);
    }
    if (this.#skippedAt < 0) this.#writer.text(text);
  }

  end(): void {
    while (this.#open.length > 0) this.#pop();
  }

  read(): ScannedPage {
    const { TITLE, H1 } = this.#titles;
    const text = this.#writer.finish();
    return {
      title: oneLine(TITLE.text) || oneLine(H1.text),
      text,
      elements: this.#elements,
      depth: this.#depth,
      depths: this.#depths,
      parts: this.#parts,
    };
  }

  #pop(): void {
    const name = this.#open.pop() ?? "";
    this.#counts.set(name, (this.#counts.get(name) ?? 1) - 1);
    if (name === "TITLE" || name === "H1") this.#titles[name].done = true;
    if (this.#skippedAt < 0) this.#writer.close(name);
    else if (this.#open.length === this.#skippedAt) this.#skippedAt = -1;
  }
}
