// CORS (https://fetch.spec.whatwg.org/#http-cors-protocol) for the origins that a deployment allows; none by default.
import type { Context, MiddlewareHandler } from "hono";

const METHODS = "GET, POST, DELETE, OPTIONS";
const REQUEST_HEADERS =
  "Authorization, Content-Type, A2A-Version, A2A-Extensions, Last-Event-ID, traceparent, If-None-Match";
const RESPONSE_HEADERS = "A2A-Extensions, ETag, Retry-After, WWW-Authenticate";
/** Seconds that a browser may remember the answer to a preflight. */
const MAX_AGE_S = 600;

/** A middleware that must run before the gate: pages of allowed origins may read what the gate says, too. */
export function crossOrigin<E extends { Bindings: object }>(
  originsOf: (env: E["Bindings"]) => readonly string[],
): MiddlewareHandler<E> {
  return async (c, next) => {
    const origins = originsOf(c.env);
    const origin = c.req.raw.headers.get("origin");
    if (origins.length === 0) return next();
    if (origin === null || !origins.includes(origin)) {
      await next();
      c.res.headers.append("vary", "Origin");
      return undefined;
    }
    const headers = { "access-control-allow-origin": origin, vary: "Origin" };
    if (isPreflight(c))
      return new Response(null, {
        status: 204,
        headers: {
          ...headers,
          "access-control-allow-methods": METHODS,
          "access-control-allow-headers": REQUEST_HEADERS,
          "access-control-max-age": String(MAX_AGE_S),
        },
      });
    await next();
    for (const [name, value] of Object.entries(headers)) c.res.headers.append(name, value);
    c.res.headers.set("access-control-expose-headers", RESPONSE_HEADERS);
    return undefined;
  };
}

function isPreflight({ req }: Context): boolean {
  return req.method === "OPTIONS" && req.raw.headers.has("access-control-request-method");
}
