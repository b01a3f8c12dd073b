// HTML to readable text: the article alone, as a reader view shows it, or everything but the furniture.
// linkedom and Readability are typed by the DOM, which Workers do not have, so lint cannot follow their types here.
import { Readability } from "@mozilla/readability";
import { parseHTML } from "linkedom/worker";
import { textOf, type TreeNode } from "./html-text.ts";

export interface ReadableText {
  /** May be empty. One line. */
  readonly title: string;
  readonly text: string;
}

/** Pages beyond these are read without looking for their article: the search takes time that grows with the square of both. */
const MAX_ELEMENTS = 10_000;
const MAX_DEPTH = 100;
/** An article that is a smaller part of the page than this was probably not the page's content. */
const MIN_ARTICLE_SHARE = 0.2;

/** The main article of a web page without navigation and advertisements; the whole text where no article is recognised. */
export function readArticle(html: string): ReadableText {
  const whole = readWhole(html);
  const article = extractArticle(html);
  if (!article || article.text.length < whole.text.length * MIN_ARTICLE_SHARE) return whole;
  return { title: article.title || whole.title, text: article.text };
}

/** All text of a document but menus, forms and scripts. Fast, loses nothing: for documents that are known to be content. */
export function readWhole(html: string): ReadableText {
  const { document } = parseDocument(html);
  const heading = document.querySelector("h1")?.textContent ?? "";
  const title = document.querySelector("title")?.textContent ?? "";
  return { title: oneLine(title) || oneLine(heading), text: textOf(document.body ?? document.documentElement) };
}

function extractArticle(html: string): ReadableText | undefined {
  const { document } = parseDocument(html);
  if (isTooDeep(document.documentElement)) return undefined;
  try {
    const reader = new Readability(document, { maxElemsToParse: MAX_ELEMENTS, serializer: (node) => node });
    const article = reader.parse();
    if (!article?.content) return undefined;
    return { title: oneLine(article.title ?? ""), text: textOf(article.content) };
  } catch {
    // A page too big or too strange for the reader view still has its text.
    return undefined;
  }
}

function isTooDeep(root: TreeNode): boolean {
  let depth = 0;
  let node: TreeNode | null = root;
  while (node && depth <= MAX_DEPTH) {
    if (node.firstChild) {
      depth += 1;
      node = node.firstChild;
      continue;
    }
    while (node && !node.nextSibling) {
      depth -= 1;
      node = node === root ? null : node.parentNode;
    }
    node = node?.nextSibling ?? null;
  }
  return depth > MAX_DEPTH;
}

function parseDocument(html: string) {
  // Without the outer elements linkedom has no body.
  const isDocument = /<(?:html|body)[\s>]/i.test(html);
  return parseHTML(isDocument ? html : `<html><body>${html}</body></html>`);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
