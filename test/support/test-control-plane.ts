// The control plane as the test agent sees it. Its registry knows nobody until they register, and forgets when told to; its trace
// store takes every span, and none while it is told to be down. Each runtime has one of its own.
import { Response, type Request } from "miniflare";

interface WireSpan {
  spanId: string;
  endTimeUnixNano: string;
}

interface OtlpRequest {
  resourceSpans: { scopeSpans: { spans: WireSpan[] }[] }[];
}

const ended = (span: WireSpan | undefined) => span !== undefined && span.endTimeUnixNano !== "0";

export function testControlPlane(): (request: Request) => Promise<Response> {
  let registered = new Set<string>();
  const log: string[] = [];
  /** The latest word on each span. */
  const spans = new Map<string, WireSpan>();
  let down = false;
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/forget") registered = new Set();
    if (pathname === "/forget" || pathname === "/log") return Response.json(log);
    if (pathname === "/v1/traces") {
      if (down) return new Response("The trace store is down.", { status: 503 });
      // SAFETY: the only client is the one under test, and a body that does not fit fails the test.
      const { resourceSpans } = (await request.json()) as OtlpRequest;
      for (const span of resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))) {
        // As in the real store, a start that arrives after its end changes nothing.
        if (span.endTimeUnixNano === "0" && ended(spans.get(span.spanId))) continue;
        spans.set(span.spanId, span);
      }
      return Response.json({});
    }
    if (pathname === "/down" || pathname === "/up") down = pathname === "/down";
    if (pathname === "/spans" || pathname === "/down" || pathname === "/up") return Response.json([...spans.values()]);
    log.push(`${request.method} ${pathname}`);
    if (pathname === "/agents/register") {
      // SAFETY: the only client is the one under test, and a body that does not fit fails the test.
      const { id } = (await request.json()) as { id: string };
      registered.add(id);
      return Response.json({ id, state: "alive" }, { status: 201 });
    }
    const [, id] = /^\/agents\/(.+)\/heartbeat$/.exec(pathname) ?? [];
    if (id !== undefined && registered.has(id)) return Response.json({ state: "alive" });
    return Response.json({ type: "/problems/unknown-agent" }, { status: 404 });
  };
}
