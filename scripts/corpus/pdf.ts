// The text of a PDF, read by unpdf: pdf.js without a browser.
import { getDocumentProxy } from "unpdf";

const MOST_PAGES = 5_000;
/** Characters; the searcher takes no more of one file. */
const MOST_CHARS = 4 * 1024 * 1024;

/** Pages separated by blank lines. Throws Error with the reason. */
export async function pdfText(bytes: Uint8Array): Promise<string> {
  const document = await getDocumentProxy(bytes, { verbosity: 0 });
  if (document.numPages > MOST_PAGES) throw new Error(`it has ${document.numPages} pages, more than ${MOST_PAGES}`);
  const pages: string[] = [];
  let chars = 0;
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    const text = items.map((item) => ("str" in item ? `${item.str}${item.hasEOL ? "\n" : ""}` : "")).join("");
    chars += text.length;
    if (chars > MOST_CHARS) throw new Error(`it holds more than ${MOST_CHARS} characters of text`);
    pages.push(text);
    page.cleanup();
  }
  return pages.join("\n\n");
}
