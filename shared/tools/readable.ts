// HTML to readable text: the article alone, as a reader view shows it, or everything but the furniture.
// linkedom and Readability are typed by the DOM, which Workers do not have, so lint cannot follow their types here.
import { Readability } from "@mozilla/readability";
import { parseHTML } from "linkedom/worker";
import { oneLine } from "../text/spaces.ts";
import { type ScannedPage, scanHtml } from "./html-scan.ts";
import { htmlText } from "./html-text.ts";

export interface ReadableText {
  /** May be empty. One line. */
  readonly title: string;
  readonly text: string;
}

/**
 * Beyond these a page is read without looking for its article: the tree for that, and the search in it, take far more
 * than their size.
 */
const MAX_CHARS = 1_000_000;
const MAX_ELEMENTS = 6_000;
const MAX_DEPTH = 100;
const MAX_DEPTHS = 120_000;
const MAX_PARTS = 20_000;
/** An article that is a smaller part of the page than this was probably not the page's content. */
const MIN_ARTICLE_SHARE = 0.2;

/**
 * The main article of a web page without navigation and advertisements; the whole text where no article is recognised.
 */
export function readArticle(html: string): ReadableText {
  const whole = scanHtml(html);
  const article = isLarge(html, whole) ? undefined : extractArticle(html);
  if (!article || article.text.length < whole.text.length * MIN_ARTICLE_SHARE) return whole;
  return { title: article.title || whole.title, text: article.text };
}

/**
 * All text of a document but menus, forms and scripts. Fast, loses nothing: for documents that are known to be content.
 */
export function readWhole(html: string): ReadableText {
  return scanHtml(html);
}

function isLarge(html: string, { elements, depth, depths, parts }: ScannedPage): boolean {
  const isDeep = depth > MAX_DEPTH || depths > MAX_DEPTHS;
  return html.length > MAX_CHARS || elements > MAX_ELEMENTS || isDeep || parts > MAX_PARTS;
}

function extractArticle(html: string): ReadableText | undefined {
  try {
    const { document } = parseDocument(html);
    const reader = new Readability(document, { maxElemsToParse: MAX_ELEMENTS, serializer: (node) => node });
    const article = reader.parse();
    if (!article?.content) return undefined;
    return { title: oneLine(article.title ?? ""), text: htmlText(article.content) };
  } catch {
    // A page too strange for the reader view still has its text.
    return undefined;
  }
}

function parseDocument(html: string) {
  // Without the outer elements linkedom has no body.
  const isDocument = /<(?:html|body)[\s>]/i.test(html);
  return parseHTML(isDocument ? html : `<html><body>${html}</body></html>`);
}
