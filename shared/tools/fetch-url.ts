// fetch_url: reads one public web page as text. download.ts has the limits and address checks.
import * as z from "zod";
import { defineTool } from "../loop/tools/tool.ts";
import { withPauses } from "../text/slices.ts";
import { download, type Fetch } from "./download.ts";
import { readArticle } from "./readable.ts";

const MAX_CHARS = 20_000;

export const fetchUrl = defineTool({
  name: "fetch_url",
  description:
    "Reads a public web page and returns its readable text with its title. Takes http and https URLs of text: HTML, Markdown, plain text, JSON, XML.",
  input: z.object({
    url: z.string().trim().min(1).max(4000).describe("The whole URL, beginning with http:// or https://"),
  }),
  annotations: { readOnly: true, idempotent: true },
  run: ({ url }, { signal }) => readPage(url, (target, init) => fetch(target, init), signal),
});

/** The page as `# title`, `source: URL` and text. Throws DownloadError, which says what to tell the model. */
export async function readPage(address: string, fetch: Fetch, signal: AbortSignal): Promise<string> {
  const { url, type, text } = await download(address, fetch, signal);
  const isHtml = type === "text/html" || type === "application/xhtml+xml";
  const page = isHtml ? await withPauses(readArticle(text)) : { title: "", text: text.trim() };
  const body = page.text === "" ? "(The page has no text.)" : shorten(page.text);
  return `# ${page.title || url}\nsource: ${url}\n\n${body}`;
}

function shorten(text: string): string {
  if (text.length <= MAX_CHARS) return text;
  const shown = text.slice(0, MAX_CHARS).replace(/[\ud800-\udbff]$/, "");
  return `${shown}\n\n[Cut here: these are the first ${MAX_CHARS} of ${text.length} characters.]`;
}
