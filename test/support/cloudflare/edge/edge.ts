// The internet as clients of the emulator see it: an HTTP proxy that takes CONNECT, ends TLS with its own certificates and hands
// requests to the Workers of the account, or to the internet of the test.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, request as ask, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { callbackify } from "node:util";

import type { Account } from "../account/account.ts";
import { AT_EDGE, type Faults, InjectedError, suffer } from "../api/faults.ts";
import { type Access, LOGIN } from "./access.ts";
import type { Certificates } from "./certificates.ts";
import { answerByInternet, type Internet } from "./internet.ts";
import { ASKED_URL, MEANT_WORKER, NOTHING_HERE } from "./router-worker.ts";
import type { Serving } from "./serving.ts";

const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";
/** NO_PROXY names them, and `wrangler tail` does not read it for its WebSocket. */
const LOOPBACK = ["127.0.0.1", "localhost"];

export class Edge {
  readonly #account: Account;
  readonly #serving: Serving;
  readonly #faults: Faults;
  readonly #internet: Internet;
  readonly #access: Access;
  readonly #proxy: Server;
  readonly #inner: Server;
  /** Connections that CONNECT took from the proxy. */
  readonly #tunnels = new Set<Duplex>();

  constructor(
    account: Account,
    serving: Serving,
    certificates: Certificates,
    faults: Faults,
    { internet, access }: { readonly internet: Internet; readonly access: Access },
  ) {
    this.#account = account;
    this.#access = access;
    this.#serving = serving;
    this.#faults = faults;
    this.#internet = internet;
    const onRequest = (request: IncomingMessage, response: ServerResponse) => {
      this.answer(askedUrl(request), request, response).catch(() => response.destroy());
    };
    this.#inner = createTlsServer(
      {
        keepAliveTimeout: 600_000,
        SNICallback: callbackify(async (name: string) => certificates.contextFor(name)),
      },
      onRequest,
    );
    this.#proxy = createServer(onRequest);
    this.#proxy.on("connect", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#tunnels.add(socket);
      socket.once("close", () => this.#tunnels.delete(socket));
      socket.on("error", () => socket.destroy());
      const { hostname, port } = new URL(`http://${request.url ?? ""}`);
      if (LOOPBACK.includes(hostname)) {
        tunnel(socket, connect(Number(port), hostname));
        return;
      }
      socket.write(ESTABLISHED);
      if (head.length > 0) socket.unshift(head);
      this.#inner.emit("connection", socket);
    });
    this.#inner.on("upgrade", (request, socket, head) => {
      this.#upgrade(request, socket, head).catch(() => socket.destroy());
    });
  }

  async start(): Promise<void> {
    await once(this.#proxy.listen(0, "127.0.0.1"), "listening");
  }

  get url(): string {
    const address = this.#proxy.address();
    return `http://127.0.0.1:${typeof address === "object" ? (address?.port ?? 0) : 0}`;
  }

  async close(): Promise<void> {
    for (const tunnel of this.#tunnels) tunnel.destroy();
    this.#proxy.closeAllConnections();
    this.#proxy.close();
    await once(this.#proxy, "close");
  }

  /** Answers a request to this address, of a client or of a Worker. */
  async answer(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const worker = this.#account.workerAt(url);
    if (worker !== undefined && !this.#access.admits(url.hostname, request.headers)) {
      request.resume();
      response.writeHead(302, { location: LOGIN, server: "cloudflare" }).end();
      return;
    }
    if (worker === undefined && !url.hostname.endsWith(`.${this.#account.subdomain}.workers.dev`)) {
      await answerByInternet(this.#internet, url.href, request, response);
      return;
    }
    const how = this.#faults.next(AT_EDGE, worker?.name);
    if (how === "hang") return;
    if (how === "drop") {
      response.destroy();
      return;
    }
    const refusal = await suffer(how).catch((error: unknown) => error);
    if (worker === undefined || refusal instanceof InjectedError) {
      request.resume();
      const { status, message } = refusal instanceof InjectedError ? refusal : { status: 404, message: NOTHING_HERE };
      response.writeHead(status, { "content-type": "text/html", server: "cloudflare" }).end(message);
      return;
    }
    const answer = await this.#pass(url, worker.name, request, response);
    if (answer === undefined || how === "drop-after") response.destroy();
    else relay(answer, response);
  }

  /** The Worker's answer; undefined where nobody waits for it any more. */
  async #pass(
    url: URL,
    worker: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<IncomingMessage | undefined> {
    const { url: router, leave } = await this.#serving.enter(worker);
    if (response.destroyed) {
      leave();
      return undefined;
    }
    response.once("close", leave);
    const headers = forwarded(request, url, worker);
    const passed = ask(router, { method: request.method ?? "GET", path: "/", headers });
    passed.on("error", () => response.destroy());
    response.once("close", () => passed.destroy());
    request.pipe(passed);
    const [answer] = (await once(passed, "response")) as [IncomingMessage];
    return answer;
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = askedUrl(request);
    const worker = this.#account.workerAt(url);
    if (worker === undefined) {
      socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const { url: router, leave } = await this.#serving.enter(worker.name);
    socket.once("close", leave);
    socket.on("error", () => socket.destroy());
    const passed = ask(router, { path: "/", headers: forwarded(request, url, worker.name) });
    passed.on("error", () => socket.destroy());
    passed.on("response", () => socket.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"));
    passed.on("upgrade", (answer, inner, first) => {
      const headers = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join("")}\r\n`);
      inner.on("error", () => socket.destroy());
      inner.once("close", () => socket.destroy());
      socket.once("close", () => inner.destroy());
      if (first.length > 0) socket.write(first);
      if (head.length > 0) inner.write(head);
      inner.pipe(socket).pipe(inner);
    });
    passed.end();
  }
}

function relay(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, { ...answer.headers, server: "cloudflare" });
  // An event stream is read before its first event comes.
  response.flushHeaders();
  answer.on("error", () => response.destroy());
  answer.on("aborted", () => response.destroy());
  answer.pipe(response);
}

function tunnel(socket: Socket, target: Socket): void {
  target.on("error", () => socket.destroy());
  target.once("connect", () => {
    socket.write(ESTABLISHED);
    socket.pipe(target).pipe(socket);
  });
  socket.once("close", () => target.destroy());
  target.once("close", () => socket.destroy());
}

function askedUrl({ url = "/", headers }: IncomingMessage): URL {
  // Without CONNECT a proxy is asked for the whole address.
  return URL.canParse(url) ? new URL(url) : new URL(`https://${headers.host ?? "localhost"}${url}`);
}

function forwarded(request: IncomingMessage, url: URL, worker: string): Record<string, string | string[] | undefined> {
  return {
    ...request.headers,
    host: url.host,
    "cf-connecting-ip": "127.0.0.1",
    "cf-ray": `${randomBytes(8).toString("hex")}-TST`,
    "x-forwarded-proto": "https",
    [MEANT_WORKER]: worker,
    [ASKED_URL]: url.href,
  };
}
