// Downloads text from the public web within limits of size, time and redirects. Checks every address first; workerd
// refuses private addresses behind public names.
import { decodeText } from "../text/decode.ts";
import { ERROR } from "../tracing/names.ts";
import { readBytes } from "../http/read-body.ts";
import { timeLimit } from "../resilience/stopwatch.ts";
import { isPublicHost } from "./public-address.ts";

export interface Download {
  /** The final address after redirects. */
  readonly url: string;
  /** Media type in lower case without parameters. */
  readonly type: string;
  readonly text: string;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Why a download failed, in words for a model: without addresses of ours and stacks, with what to do instead. */
class DownloadError extends Error {
  override readonly name: string = "DownloadError";
}

/** The address is private. */
class AddressRefused extends DownloadError {
  override readonly name = ERROR.addressRefused;
}

const MAX_REDIRECTS = 5;
const MAX_BYTES = 2 * 1024 * 1024;
const TIME_LIMIT_MS = 10_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const TEXT_TYPE = /^(?:text\/[\w.+-]+|application\/(?:json|xml|(?:[\w.-]+\+)(?:json|xml)))$/;
const HEADERS = {
  accept: "text/html, application/xhtml+xml, text/markdown, text/plain, application/json;q=0.9, */*;q=0.1",
  "user-agent": "Mozilla/5.0 (compatible; Troupe fetch_url)",
};

/** Throws DownloadError, or the signal's reason when the caller aborts. */
export async function download(address: string, fetch: Fetch, signal: AbortSignal): Promise<Download> {
  const limit = timeLimit(TIME_LIMIT_MS);
  let url = checkAddress(address);
  try {
    for (let redirects = 0; ; redirects++) {
      const response = await fetch(url.href, {
        headers: HEADERS,
        redirect: "manual",
        signal: AbortSignal.any([signal, limit]),
      });
      const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
      if (location === null) return await readText(url, response);
      await response.body?.cancel();
      if (redirects === MAX_REDIRECTS)
        throw new DownloadError(`${address} redirects more than ${MAX_REDIRECTS} times.`);
      url = checkAddress(location, url);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DownloadError) throw error;
    if (limit.aborted) throw new DownloadError(`${url.host} did not send the page within ${TIME_LIMIT_MS / 1000} s.`);
    // workerd reports a refused address as "internal error", like other failures.
    throw new DownloadError(
      `${url.host} cannot be reached, or its address is not public. Only public web pages can be read.`,
    );
  }
}

/** Parses and checks an address. `base` is the page that redirected to it. */
function checkAddress(address: string, base?: URL): URL {
  const url = URL.parse(address, base?.href);
  const source = base ? `${base.host} redirects to` : "This is";
  if (!url) throw new DownloadError(`${source} no valid URL: ${JSON.stringify(address.slice(0, 200))}.`);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new DownloadError(`${source} a ${url.protocol} address. Only http and https can be read.`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new DownloadError(`${source} an address with a user name or password. Leave them out.`);
  }
  if (!isPublicHost(url.hostname)) {
    throw new AddressRefused(
      `${source} ${url.hostname}, which is no public address. Only public web pages can be read.`,
    );
  }
  url.hash = "";
  return url;
}

async function readText(url: URL, response: Response): Promise<Download> {
  const [type = "", ...parameters] = (response.headers.get("content-type") ?? "text/plain").toLowerCase().split(";");
  const media = type.trim();
  const refusal = refusalReason(url, response, media);
  if (refusal) {
    await response.body?.cancel();
    throw new DownloadError(refusal);
  }
  const bytes = await readBytes(response.body, MAX_BYTES);
  if (bytes === "too-large") throw new DownloadError(tooLarge(url));
  const charset = parameters.map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)/.exec(parameter)?.[1]).find(Boolean);
  return { url: url.href, type: media, text: decode(bytes, charset) };
}

function refusalReason(url: URL, response: Response, media: string): string | undefined {
  if (!response.ok) return `${url.href} answered ${`${response.status} ${response.statusText}`.trim()}.`;
  if (!TEXT_TYPE.test(media)) return `${url.href} is ${media.slice(0, 100)}, which cannot be read as text.`;
  if (Number(response.headers.get("content-length")) > MAX_BYTES) return tooLarge(url);
  return undefined;
}

function tooLarge(url: URL): string {
  return `${url.href} is larger than ${MAX_BYTES / 1024 / 1024} MB. Look for a smaller page about the same.`;
}

/** Falls back to UTF-8, as browsers do. */
function decode(bytes: Uint8Array, charset: string | undefined): string {
  const decoded = decodeText(bytes, charset);
  return "text" in decoded ? decoded.text : new TextDecoder().decode(bytes);
}
