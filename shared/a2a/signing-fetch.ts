// `fetch` that signs each request anew, also one that a client repeats. Redirects are not followed: a token is for its receiver alone.
import type { TokenRequest } from "./peer-token.ts";

/** `messageId` is that of the messages that are sent. Bodies have to be texts or bytes. */
export function signingFetch(
  fetchImpl: typeof fetch,
  sign: (request: TokenRequest) => string,
  messageId?: string,
): typeof fetch {
  return async (input, init = {}) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    const { method = "GET", body } = init;
    if (input instanceof Request || !(body === undefined || body === null || isPlain(body)))
      throw new TypeError("Only a request by its address, with a body of text or bytes, can be signed.");
    const isMessage = pathname.startsWith("/message:");
    const headers = new Headers(init.headers);
    const request = { method, path: pathname + search, body: body ?? undefined, ...(isMessage ? { messageId } : {}) };
    headers.set("authorization", `Bearer ${sign(request)}`);
    return fetchImpl(input, { ...init, headers, redirect: "manual" });
  };
}

function isPlain(body: unknown): body is string | Uint8Array {
  return typeof body === "string" || body instanceof Uint8Array;
}
