// Text of HTML that keeps the layout: headings, paragraphs, list items, table cells, preformatted lines. Walks a tree
// without recursion, because a page may nest deeply.

/** The parts of a DOM node that are used; linkedom's nodes have them. */
export interface TreeNode {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly nodeValue: string | null;
  readonly firstChild: TreeNode | null;
  readonly nextSibling: TreeNode | null;
  readonly parentNode: TreeNode | null;
}

const TEXT_NODE = 3;
const ELEMENT_NODE = 1;

/** Elements whose text is skipped. */
export const SKIPPED: ReadonlySet<string> = new Set(
  "SCRIPT STYLE NOSCRIPT TEMPLATE IFRAME OBJECT SVG MATH CANVAS AUDIO VIDEO BUTTON SELECT INPUT TEXTAREA FORM NAV FOOTER DIALOG HEAD".split(
    " ",
  ),
);
const BLOCKS = new Set(
  "ADDRESS ARTICLE ASIDE BLOCKQUOTE BODY DD DETAILS DIV DL DT FIELDSET FIGCAPTION FIGURE H1 H2 H3 H4 H5 H6 HEADER HR HTML LI MAIN OL P PRE SECTION SUMMARY TABLE TR UL".split(
    " ",
  ),
);
/** Blocks that follow each other without a blank line. */
const TIGHT = new Set(["LI", "TR", "DT", "DD"]);

/** The readable text below `root`: Markdown headings and list dashes, one blank line between paragraphs. */
export function htmlText(root: TreeNode): string {
  const writer = new TextWriter();
  let node: TreeNode | null = root;
  while (node) {
    const descends = enter(node, writer);
    if (descends && node.firstChild) {
      node = node.firstChild;
      continue;
    }
    leave(node, writer);
    while (node !== root && !node.nextSibling && node.parentNode) {
      node = node.parentNode;
      leave(node, writer);
    }
    node = node === root ? null : node.nextSibling;
  }
  return writer.finish();
}

/** Whether to read the node's children. */
function enter(node: TreeNode, writer: TextWriter): boolean {
  if (node.nodeType === TEXT_NODE) writer.text(node.nodeValue ?? "");
  if (node.nodeType !== ELEMENT_NODE) return node.nodeType !== TEXT_NODE;
  const name = node.nodeName.toUpperCase();
  if (SKIPPED.has(name)) return false;
  writer.open(name);
  return true;
}

function leave(node: TreeNode, writer: TextWriter): void {
  const name = node.nodeName.toUpperCase();
  if (node.nodeType === ELEMENT_NODE && !SKIPPED.has(name)) writer.close(name);
}

/** Collects text. Writes pending breaks and spaces only before further text. */
export class TextWriter {
  /** Number of open PRE elements. */
  #preformatted = 0;
  readonly #parts: string[] = [];
  #breaks = 0;
  #space = false;
  #mark = "";
  #cells = false;

  /** `name` is in capitals. */
  open(name: string): void {
    if (BLOCKS.has(name)) this.#block(TIGHT.has(name));
    const level = /^H([1-6])$/.exec(name)?.[1];
    if (level) this.#mark = `${"#".repeat(Number(level))} `;
    if (name === "LI") this.#mark = "- ";
    if (name === "BR") this.#breaks = Math.max(this.#breaks, 1);
    if (name === "PRE") this.#preformatted += 1;
    if (name === "TD" || name === "TH") this.#cell();
  }

  close(name: string): void {
    if (name === "PRE") this.#preformatted -= 1;
    if (BLOCKS.has(name)) this.#block(TIGHT.has(name));
  }

  text(text: string): void {
    if (this.#preformatted > 0) {
      this.#write(text);
      return;
    }
    const words = text.replace(/[\s\u00a0]+/g, " ");
    if (words.startsWith(" ")) this.#space = true;
    const trimmed = words.trim();
    if (trimmed === "") return;
    this.#write(trimmed);
    this.#space = words.endsWith(" ");
  }

  finish(): string {
    const lines = this.#parts.join("").split("\n");
    return lines
      .map((line) => line.trimEnd())
      .join("\n")
      .trim();
  }

  #block(tight: boolean): void {
    this.#breaks = Math.max(this.#breaks, tight ? 1 : 2);
    this.#mark = "";
    this.#cells = false;
  }

  #cell(): void {
    if (this.#cells) this.#write(" |");
    this.#cells = true;
    this.#space = true;
  }

  #write(text: string): void {
    if (this.#breaks > 0) this.#parts.push("\n".repeat(this.#breaks));
    else if (this.#space) this.#parts.push(" ");
    this.#parts.push(this.#mark, text);
    this.#breaks = 0;
    this.#space = false;
    this.#mark = "";
  }
}
