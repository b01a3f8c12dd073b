// The `fetch` under the API's client, which retries by itself: reports retries, watches the bytes of answers for silence,
// and limits bodies and the pauses that the API asks for.
import { AsyncLocalStorage } from "node:async_hooks";
import { retryAfterSeconds, withoutRetry } from "../http/retry-after.ts";
import type { IdleWatch } from "../resilience/idle-watch.ts";
import type { RetryNotice } from "./model.ts";
import { MAX_ERROR_BODY, MAX_RETRY_AFTER_S } from "./request.ts";
import { MAX_PIECE, tooMuch } from "./watched-body.ts";
import type { WatchedCall } from "./watched-call.ts";

interface WatchedRequests {
  readonly call: WatchedCall;
  count: number;
  /** The status and reason of the last attempt. */
  last?: Pick<RetryNotice, "status" | "reason">;
}

/** The call of the current async context: all calls share the client's one fetch. */
export const watchedRequests = new AsyncLocalStorage<WatchedRequests>();

export function watchedFetch(fetchImpl: typeof fetch): typeof fetch {
  return async (input, init) => {
    const requests = watchedRequests.getStore();
    if (!requests) return fetchImpl(input, init);
    const { onNotice, watch } = requests.call;
    if (requests.last) onNotice({ kind: "retry", attempt: requests.count, ...requests.last });
    requests.count++;
    watch.heard();
    try {
      // Redirects are not followed: they would receive the key.
      const response = await fetchImpl(input, { ...init, redirect: "manual" });
      requests.last = { status: response.status, reason: String(response.status) };
      return watchBody(response, watch);
    } catch (error) {
      watch.pause();
      throw error;
    }
  };
}

function watchBody(response: Response, watch: IdleWatch): Response {
  const { ok, status } = response;
  const body: ReadableStream<Uint8Array> | null = response.body;
  const waitS = retryAfterSeconds(response.headers);
  const headers = waitS !== undefined && waitS > MAX_RETRY_AFTER_S ? withoutRetry(response.headers) : response.headers;
  if (ok) watch.heard();
  else watch.pause();
  return new Response(body && (ok ? limited(body, watch) : cutAt(body, MAX_ERROR_BODY, watch)), { status, headers });
}

function limited(body: ReadableStream<Uint8Array>, watch: IdleWatch): ReadableStream<Uint8Array> {
  let length = 0;
  return passOn(body, watch, (chunk) => {
    length += chunk.length;
    if (length > MAX_PIECE) throw tooMuch();
    return chunk;
  });
}

function cutAt(body: ReadableStream<Uint8Array>, limit: number, watch: IdleWatch): ReadableStream<Uint8Array> {
  let left = limit;
  return passOn(body, watch, (chunk) => {
    const kept = chunk.subarray(0, left);
    left -= kept.length;
    return left === 0 ? undefined : kept;
  });
}

/** Passes on each chunk as `take` returns it, up to the first undefined. Reads only on demand. */
function passOn(
  body: ReadableStream<Uint8Array>,
  watch: IdleWatch,
  take: (chunk: Uint8Array) => Uint8Array | undefined,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        watch.heard();
        const { done, value } = await reader.read();
        const kept = done ? undefined : take(value);
        if (kept) return controller.enqueue(kept);
        controller.close();
        if (!done) await reader.cancel();
      },
      cancel: async (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
