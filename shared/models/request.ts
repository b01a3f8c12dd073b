// Makes a request, and makes it again where the API refuses it, which costs nothing: on 408, 409, 429 and 5xx, after the
// pause that the API asks for. Broken connections are not retried here: each further call has to be paid for.
import { APIError } from "@anthropic-ai/sdk/core/error";
import { retryAfterSeconds } from "../http/retry-after.ts";
import { parseJson } from "../text/parse-json.ts";
import { reasonOf } from "../text/reason.ts";
import type { IdleWatch } from "../resilience/idle-watch.ts";
import { connectionLost } from "./model-errors.ts";
import { WatchedBody } from "./watched-body.ts";
import type { WatchedCall } from "./watched-call.ts";

export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Bytes read of an error's body. */
export const MAX_ERROR_BODY = 64 * 1024;
/** Longest pause before a retry that the API may ask for, in seconds: a person waits. */
export const MAX_RETRY_AFTER_S = 60;
/** The first pause where the API asks for none. Each further one doubles. */
const PAUSE_MS = 500;
/** Share of a pause that is left to chance, so that not all who were refused together come again together. */
const JITTER = 0.25;
/** Beside 5xx: the API was too slow, busy with the same thing, or asked too often. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 429]);

/**
 * The answer, of which nothing has been read. Throws APIError for a refusal, ModelError without a response, and the
 * signal's reason.
 */
export async function send(
  fetchImpl: typeof fetch,
  { url, headers, body }: HttpRequest,
  call: WatchedCall,
): Promise<Response> {
  const { signal, watch, maxRetries, onNotice } = call;
  // Redirects are not followed: they would receive the key.
  const init: RequestInit = { method: "POST", headers, body, redirect: "manual", signal };
  for (let retries = 0; ; retries++) {
    const response = await answered(fetchImpl, url, init, watch);
    if (response.ok) return response;
    if (retries === maxRetries || !mayRetry(response)) throw await refusal(response, watch);
    response.body?.cancel().catch(() => {});
    await pass(pauseMs(response.headers, retries), signal);
    const { status } = response;
    onNotice({ kind: "retry", attempt: retries + 1, status, reason: String(status) });
  }
}

async function answered(fetchImpl: typeof fetch, url: string, init: RequestInit, watch: IdleWatch): Promise<Response> {
  watch.heard();
  try {
    return await fetchImpl(url, init);
  } catch (error) {
    throw connectionLost(error);
  } finally {
    watch.pause();
  }
}

function mayRetry({ status, headers }: Response): boolean {
  if ((retryAfterSeconds(headers) ?? 0) > MAX_RETRY_AFTER_S) return false;
  const said = headers.get("x-should-retry");
  return said === "true" || (said !== "false" && (PASSING.has(status) || status >= 500));
}

function pauseMs(headers: Headers, retries: number): number {
  const saidS = retryAfterSeconds(headers);
  return saidS === undefined ? PAUSE_MS * 2 ** retries * (1 - Math.random() * JITTER) : saidS * 1000;
}

/** Resolves after `ms`. Throws the signal's reason as soon as it aborts. */
async function pass(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, ms);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
  signal.throwIfAborted();
}

/** What the API said counts as far as it can be read. */
async function refusal(response: Response, watch: IdleWatch): Promise<APIError> {
  const { status, headers } = response;
  const body = new WatchedBody(response, watch);
  const text = await body.text(MAX_ERROR_BODY).then(
    (read) => read.text,
    (error: unknown) => reasonOf(error),
  );
  body.cancel();
  const json = parseJson(text);
  return typeof json === "object" && json !== null
    ? APIError.generate(status, json, undefined, headers)
    : APIError.generate(status, undefined, text, headers);
}
