// An agent of others as its wire shows it: JSON-RPC of A2A 1.0 or 0.3, or HTTP+JSON, answered by a script.
export interface ForeignCall {
  /** Of JSON-RPC, or the path of HTTP+JSON. */
  readonly method: string;
  readonly params: {
    readonly id?: string;
    readonly message?: Readonly<Record<string, unknown>>;
    readonly configuration?: Readonly<Record<string, unknown>>;
  };
  readonly headers: Headers;
}

/** A result; a list of results that are streamed; a stream that breaks off after them; or a whole response. */
export type ForeignAnswer = object | { readonly broken: readonly object[] };

export function foreignAgent(answer: (call: ForeignCall, n: number) => ForeignAnswer) {
  const calls: ForeignCall[] = [];
  const fetch = async (url: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { pathname } = new URL(url instanceof Request ? url.url : url);
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {};
    const isRpc = "jsonrpc" in body;
    // SAFETY: the only client is the one under test, and a body that does not fit fails the test.
    const call = {
      method: isRpc ? String(body["method"]) : pathname,
      params: (isRpc ? body["params"] : body) as ForeignCall["params"],
      headers: new Headers(init.headers),
    };
    calls.push(call);
    const given = answer(call, calls.length);
    if (given instanceof Response) return given;
    const frame = (result: object) => JSON.stringify(isRpc ? { jsonrpc: "2.0", id: body["id"], result } : result);
    const events = "broken" in given ? given.broken : given;
    if (!Array.isArray(events)) return new Response(frame(given), { headers: { "content-type": "application/json" } });
    const text = events.map((event: object) => `data: ${frame(event)}\n\n`).join("");
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text));
        if (!("broken" in given)) controller.close();
      },
      pull(controller) {
        controller.error(new Error("broken"));
      },
    });
    return new Response(stream, { headers: { "content-type": "text/event-stream" } });
  };
  return { calls, fetch };
}

/** A JSON-RPC error of the call. */
export function rpcError(code: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", id: null, error: { code, message } });
}
