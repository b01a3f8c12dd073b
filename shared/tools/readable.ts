// Readable text of HTML: the article alone, or the whole page without menus and forms. linkedom and Readability are
// typed by the DOM, which Workers lack, so lint cannot follow their types here.
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

/** Beyond these limits the article is not searched for: the tree and the search would cost far more than the page. */
const MAX_CHARS = 600_000;
const MAX_ELEMENTS = 4_000;
const MAX_DEPTH = 100;
const MAX_DEPTHS = 120_000;
const MAX_PARTS = 20_000;
/** A smaller article was probably not the page's content. */
const MIN_ARTICLE_SHARE = 0.2;

/** The main article of a web page; the whole text when no article is found. Yields after each slice of the page. */
export function* readArticle(html: string): Generator<undefined, ReadableText> {
  const whole = yield* scanHtml(html);
  yield;
  const article = isLarge(html, whole) ? undefined : yield* extractArticle(html);
  if (!article || article.text.length < whole.text.length * MIN_ARTICLE_SHARE) return whole;
  return { title: article.title || whole.title, text: article.text };
}

/**
 * All text of a document without menus, forms and scripts. Fast, for documents that are known to be content. Yields after
 * each slice of the document.
 */
export function readWhole(html: string): Generator<undefined, ReadableText> {
  return scanHtml(html);
}

function isLarge(html: string, { elements, depth, depths, parts }: ScannedPage): boolean {
  const isDeep = depth > MAX_DEPTH || depths > MAX_DEPTHS;
  return html.length > MAX_CHARS || elements > MAX_ELEMENTS || isDeep || parts > MAX_PARTS;
}

/** Yields after each step. */
function* extractArticle(html: string): Generator<undefined, ReadableText | undefined> {
  try {
    const { document } = parseDocument(html);
    yield;
    const reader = new Readability(document, { maxElemsToParse: MAX_ELEMENTS, serializer: (node) => node });
    const article = reader.parse();
    if (!article?.content) return undefined;
    yield;
    return { title: oneLine(article.title ?? ""), text: htmlText(article.content) };
  } catch {
    // Readability failed; the caller uses the whole text.
    return undefined;
  }
}

function parseDocument(html: string) {
  // Without outer elements linkedom makes no body.
  const isDocument = /<(?:html|body)[\s>]/i.test(html);
  return parseHTML(isDocument ? html : `<html><body>${html}</body></html>`);
}
