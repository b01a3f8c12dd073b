// A server in the place of the control plane, on a real socket: answers each request for an account as the test says, or not at all.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface Asked {
  readonly operation: string;
  readonly token: string | undefined;
  readonly body: { readonly id?: string; readonly [field: string]: unknown };
}

/** Answers a request; `silence` leaves it without an answer, `hang up` ends the connection. */
export type Answering = (asked: Asked, count: number) => Reply | "silence" | "hang up";
interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

export interface AccountServer {
  /** What an agent's environment holds, leading here. */
  readonly env: {
    readonly CONTROL_PLANE: { fetch(url: string, init: RequestInit): Promise<Response> };
    readonly TROUPE_TOKEN: string;
  };
  /** All requests so far. */
  readonly asked: Asked[];
  close(): Promise<void>;
}

export async function accountServer(answering: Answering): Promise<AccountServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => void handle(request, response));
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const operation = request.url?.replace("/v1/budgets/", "") ?? "";
    const body = JSON.parse(new TextDecoder().decode(Buffer.concat(chunks)));
    asked.push({ operation, token: request.headers.authorization, body });
    const reply = answering({ operation, token: request.headers.authorization, body }, asked.length);
    if (reply === "hang up") request.socket.destroy();
    if (typeof reply === "string") return;
    response.writeHead(reply.status, { "content-type": "application/json" });
    response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    env: {
      CONTROL_PLANE: {
        fetch: async (url, init) => fetch(url.replace("https://control-plane", `http://127.0.0.1:${port}`), init),
      },
      TROUPE_TOKEN: "job.token",
    },
    asked,
    async close() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
