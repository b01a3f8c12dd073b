// The connection to an agent of others, by the interface that its deployment has pinned. It gets its own token and no other.
import { JsonRpcTransportFactory, RestTransportFactory, type Transport } from "@a2a-js/sdk/client";
import { NO_CARD } from "../no-card.ts";
import type { RemoteInterface } from "./card.ts";

/** Bytes of a response, or of one event of a stream: eight times the longest answer. */
const MAX_BYTES = 8_000_000;
const NEWLINE = 10;
const RETURN = 13;

export async function remoteTransport(
  fetchImpl: typeof fetch,
  { url, binding, version }: RemoteInterface,
): Promise<Transport> {
  if (binding === "HTTP+JSON") return new RestTransportFactory({ fetchImpl }).create(url, NO_CARD);
  const own = { url, protocolBinding: binding, protocolVersion: version, tenant: "" };
  const factory = new JsonRpcTransportFactory({ fetchImpl, legacyCompat: { enabled: true } });
  return factory.create(url, { ...NO_CARD, supportedInterfaces: [own] });
}

/** `fetch` with the agent's bearer token, where it has one. Redirects are not followed, and endless responses are cut. */
export function remoteFetch(fetchImpl: typeof fetch, token: string | undefined): typeof fetch {
  return async (input, init = {}) => {
    const headers = new Headers(init.headers);
    headers.delete("authorization");
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const response = await fetchImpl(input, { ...init, headers, redirect: "manual" });
    if (response.body === null) return response;
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
    const { status, statusText, headers: own } = response;
    return new Response(response.body.pipeThrough(atMost(MAX_BYTES, isStream)), { status, statusText, headers: own });
  };
}

/** Fails after so many bytes. `isStream`: they count anew with each event, which ends at an empty line. */
function atMost(most: number, isStream: boolean): TransformStream<Uint8Array, Uint8Array> {
  let count = 0;
  let isLineEmpty = true;
  return new TransformStream({
    transform(chunk, controller) {
      if (isStream) for (const byte of chunk) take(byte);
      else count += chunk.byteLength;
      if (count > most) controller.error(new Error(`the response has more than ${most} bytes`));
      else controller.enqueue(chunk);
    },
  });

  function take(byte: number): void {
    count++;
    if (byte === RETURN) return;
    if (byte === NEWLINE && isLineEmpty) count = 0;
    isLineEmpty = byte === NEWLINE;
  }
}
