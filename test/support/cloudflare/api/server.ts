// The API's server: finds the route, checks the token, injects faults, wraps the answer and keeps a record of every call.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

import type { Account } from "../account/account.ts";
import { ApiError, noSuchRoute } from "../account/api-error.ts";
import { DOMAIN_ROUTES } from "./domains.ts";
import { type Faults, InjectedError, suffer } from "./faults.ts";
import { Listed, match, type Route } from "./route.ts";
import { SCRIPT_ROUTES } from "./scripts.ts";
import { SERVICE_ROUTES } from "./services.ts";
import { TAIL_ROUTES } from "./tail-routes.ts";
import type { Tails } from "./tails.ts";
import type { Tokens } from "./tokens.ts";
import { USER_ROUTES } from "./users.ts";

const ROUTES: readonly Route[] = [
  ...USER_ROUTES,
  ...SCRIPT_ROUTES,
  ...SERVICE_ROUTES,
  ...DOMAIN_ROUTES,
  ...TAIL_ROUTES,
];
const BASE = "/client/v4";

/** One call of the API; times are milliseconds since the epoch. */
export interface Call {
  /** The template of its route, or what was asked where there is none. */
  readonly call: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** The Worker that it is about. */
  readonly worker: string | undefined;
  readonly startedAt: number;
  /** Undefined until it has ended. */
  endedAt?: number;
  /** Undefined until it is answered, and for ever where the socket was destroyed. */
  status?: number;
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

/** Whether a route is called so. */
export function isRoute(template: string): boolean {
  return ROUTES.some((route) => route.template === template);
}

export class ApiServer {
  readonly calls: Call[] = [];
  readonly unknownCalls: string[] = [];
  readonly #account: Account;
  readonly #tokens: Tokens;
  readonly #tails: Tails;
  readonly #faults: Faults;
  readonly #server: Server;
  /** What went wrong in the emulator itself. */
  readonly failures: unknown[] = [];

  constructor(account: Account, tokens: Tokens, tails: Tails, faults: Faults) {
    this.#faults = faults;
    this.#account = account;
    this.#tokens = tokens;
    this.#tails = tails;
    this.#server = createServer({ keepAliveTimeout: 600_000 });
    this.#server.on("request", (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        if (!request.destroyed) this.failures.push(error);
        response.destroy();
      });
    });
    this.#server.on("upgrade", (request, socket) => this.#tails.connect(request, socket));
  }

  async start(): Promise<void> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
  }

  get origin(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? (address?.port ?? 0) : 0}`;
  }

  get url(): string {
    return `${this.origin}${BASE}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = Date.now();
    const { method = "", url = "" } = request;
    const body = await buffer(request);
    const { pathname, searchParams: query } = new URL(url, this.origin);
    const path = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : pathname;
    const [route, params = {}] = find(method, path);
    const worker = params["name"];
    const call: Call = { call: route?.template ?? `${method} ${path}`, method, path: url, worker, startedAt };
    this.calls.push(call);
    response.once("close", () => (call.endedAt ??= Date.now()));
    if (route === undefined) this.unknownCalls.push(call.call);
    const how = route === undefined ? undefined : this.#faults.next(route.template, worker);
    if (how === "hang") return;
    if (how === "drop") {
      request.socket.destroy();
      return;
    }
    const answer = await this.#answer(async () => {
      await suffer(how);
      const token = this.#tokens.check(request.headers.authorization, method, path);
      if (route === undefined) throw noSuchRoute();
      const contentType = request.headers["content-type"] ?? "";
      const { origin } = this;
      return route.answer({
        account: this.#account,
        tails: this.#tails,
        token,
        params,
        query,
        contentType,
        body,
        origin,
      });
    });
    if (how === "drop-after") {
      request.socket.destroy();
      return;
    }
    call.status = answer.status;
    call.endedAt = Date.now();
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(JSON.stringify(answer.body));
  }

  async #answer(act: () => Promise<unknown>): Promise<Answer> {
    try {
      return { status: 200, body: envelope(await act()) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { status, code, message } = error;
      const retryAfter = error instanceof InjectedError ? error.retryAfter : undefined;
      return {
        status,
        ...(retryAfter === undefined ? {} : { headers: { "retry-after": String(retryAfter) } }),
        body: { success: false, errors: [{ code, message }], messages: [], result: null },
      };
    }
  }
}

function find(method: string, path: string): [] | [Route, Record<string, string>] {
  for (const route of ROUTES) {
    const params = match(route, method, path);
    if (params !== undefined) return [route, params];
  }
  return [];
}

function envelope(result: unknown) {
  const ends = { success: true, errors: [], messages: [] };
  if (!(result instanceof Listed)) return { ...ends, result };
  const count = result.items.length;
  return {
    ...ends,
    result: result.items,
    result_info: { page: 1, per_page: Math.max(count, 20), count, total_count: count, total_pages: 1 },
  };
}
