// The gate before every listener: refuses requests of foreign pages, invalid credentials, and too many requests at
// once. Admits what comes over a service binding: only a deployment sets the binding's props.
import type { Context, MiddlewareHandler } from "hono";
import { problem, problemResponse, type Problem } from "./problem.ts";

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Open requests of one listener, without those of peers. */
const MAX_UNDER_WAY = 2_000;

/** Seconds until a request that was refused for overload may be sent again. */
export const RETRY_AFTER_S = 1;

/** The props of a service binding. No request can set them, only a deployment. */
export const BINDING_PROPS = { via: "binding" } as const;

/** The sender of a request: unknown, authenticated, an authenticated agent, or why the credentials are refused. */
export type Visitor = "anonymous" | "known" | "peer" | Problem;

export interface Listener<E extends { Bindings: object }> {
  /** The listener's own addresses. Their hosts are served beside the loopback names. */
  urls(env: E["Bindings"]): readonly string[];
  visitor(c: Context<E>): Visitor | Promise<Visitor>;
  /** Origins of other pages that may call; none when left out. */
  readonly origins?: (env: E["Bindings"]) => readonly string[];
  /** Limits whoever the visitor has turned out to be. Returns what to call when the request has ended. */
  readonly enter?: (c: Context<E>) => (() => void) | Refusal | undefined;
  /** Makes the response for a problem, in the listener's protocol. */
  readonly refuse?: (c: Context<E>, problem: Problem, headers: Record<string, string>) => Response;
  /** MAX_UNDER_WAY unless given. */
  readonly maxUnderWay?: number;
}

/** A middleware that must run before all others. Each gate counts its own requests. */
export function gate<E extends { Bindings: object }>(listener: Listener<E>): MiddlewareHandler<E> {
  const { maxUnderWay = MAX_UNDER_WAY } = listener;
  const refuse = listener.refuse ?? ((_, found, headers) => problemResponse(found, headers));
  let underWay = 0;
  return async (c, next) => {
    const isBinding = isBindingProps(propsOf(c));
    const foreign = isBinding ? undefined : foreignRequest(c.req.raw, listener.urls(c.env), listener.origins?.(c.env));
    if (foreign) return refuse(c, foreign, {});
    const found = listener.visitor(c);
    const visitor = found instanceof Promise ? await found : found;
    if (typeof visitor === "object") return refuse(c, visitor, headersOf(visitor));
    const entered = listener.enter?.(c);
    if (typeof entered === "object") return refuse(c, ...entered);
    // A peer's question belongs to a query that was admitted, so it must not wait for that query to end.
    if (isBinding || visitor === "peer") {
      entered?.();
      return next();
    }
    if (underWay >= maxUnderWay) {
      entered?.();
      return refuse(c, ...busy(`It works on ${underWay} requests, which is its limit.`));
    }
    underWay++;
    const leave = () => {
      underWay--;
      entered?.();
    };
    try {
      await next();
    } catch (error) {
      leave();
      throw error;
    }
    const answer = watched(c.res, leave);
    // Only another response is set: setting one copies the former one's headers.
    if (answer !== c.res) c.res = answer;
    return undefined;
  };
}

/** What a client has to know beside a problem: how to authenticate, or when to come again. */
export function headersOf({ status }: Problem): Record<string, string> {
  if (status === 401) return { "www-authenticate": "Bearer" };
  return status === 503 ? { "retry-after": String(RETRY_AFTER_S) } : {};
}

/** A refusal for lack of capacity, with the header that says when to retry. */
export type Refusal = readonly [problem: Problem, headers: { "retry-after": string }];

export function busy(why: string, retryAfterS = RETRY_AFTER_S): Refusal {
  const detail = `${why} Send the request again in ${retryAfterS} s.`;
  return [problem("busy", detail), { "retry-after": String(retryAfterS) }];
}

/** Why a request comes from a foreign host or page; undefined for all others. */
function foreignRequest(
  request: Request,
  own: readonly string[],
  origins: readonly string[] = [],
): Problem | undefined {
  const { host, hostname, username, password } = new URL(request.url);
  const isOwn = LOOPBACK.has(hostname) || own.some((url) => hostname === new URL(url).hostname);
  if (!isOwn || username !== "" || password !== "") {
    return problem(
      "foreign-host",
      `The host "${host.slice(0, 100)}" is not this server's. Use the address that its card or the deployment names.`,
    );
  }
  const origin = request.headers.get("origin");
  if (origin !== null && origins.includes(origin)) return undefined;
  const site = request.headers.get("sec-fetch-site")?.trim().toLowerCase();
  if ((origin === null || isOriginOf(origin, host)) && site !== "cross-site") return undefined;
  return problem("foreign-origin", "Pages of other origins may not call this server.");
}

function isOriginOf(origin: string, host: string): boolean {
  const url = URL.parse(origin);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") && url.host === host;
}

/** Event streams that are there as a whole. */
const whole = new WeakSet<Response>();

/** Marks an event stream whose events are all there. Like any other response, it has ended once it is made. */
export function asWhole(response: Response): Response {
  whole.add(response);
  return response;
}

/** Calls `leave` when the response ends: an event stream at its end, any other response at once. */
function watched(response: Response, leave: () => void): Response {
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  if (!isStream || whole.has(response) || response.body === null) {
    leave();
    return response;
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  void response.body.pipeTo(writable).then(leave, leave);
  return new Response(readable, response);
}

function isBindingProps(props: unknown): boolean {
  return typeof props === "object" && props !== null && "via" in props && props.via === BINDING_PROPS.via;
}

/** Undefined outside workerd, and for calls without an execution context. */
function propsOf(c: Context): unknown {
  try {
    return "props" in c.executionCtx ? c.executionCtx.props : undefined;
  } catch {
    return undefined;
  }
}
