// An agent at the edge of the process: a real HTTP server that speaks just enough A2A (HTTP+JSON) to be asked, and breaks off as told.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

import * as z from "zod";

const Sent = z.object({ message: z.looseObject({ messageId: z.string() }) });

export interface AgentDouble extends AsyncDisposable {
  readonly url: string;
  /** Ids of the messages that came, oldest first. */
  readonly messageIds: readonly string[];
  readonly messages: readonly object[];
  /** Tasks that were to be canceled, such as `t1:cancel`. */
  readonly canceled: readonly string[];
  /** Takes no more connections. */
  vanish(): void;
}

interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: Record<string, string>;
  /** How many messages are refused; all when left out. */
  readonly times?: number;
}

/** What happens to the n-th message, from 0: events, and then the stream ends, or breaks. */
type Say = (n: number, stream: { event(payload: object): void; end(): void; break(): void }) => void;

export async function agentDouble(say: Say, refusal?: Refusal): Promise<AgentDouble> {
  const messageIds: string[] = [];
  const messages: object[] = [];
  const canceled: string[] = [];
  const server = createServer((request, response) => {
    if (request.method === "GET") json(response, 200, card(url));
    else void serve(request, response);
  }).listen(0, "127.0.0.1");
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const sent = await text(request);
    if (request.url?.endsWith(":cancel")) {
      canceled.push(request.url.split("/").at(-1) ?? "");
      json(response, 200, task("CANCELED").task);
      return;
    }
    const body: unknown = JSON.parse(sent);
    const { message } = Sent.parse(body);
    messages.push(message);
    const n = messageIds.push(message.messageId) - 1;
    if (refusal && n < (refusal.times ?? Infinity)) {
      const error = { code: refusal.status, status: "INVALID_ARGUMENT", message: refusal.message };
      json(response, refusal.status, { error }, refusal.headers);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    say(n, {
      event: (payload) => void response.write(`data: ${JSON.stringify(payload)}\n\n`),
      end: () => void response.end(),
      // What was written before still arrives.
      break: () => void response.write("\n", () => response.destroy()),
    });
  };
  await once(server, "listening");
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  return {
    url,
    messageIds,
    messages,
    canceled,
    vanish: () => {
      server.close();
      server.closeIdleConnections();
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The task as it stands, with what there is of its answer. */
export function task(state: string, answer = "", approvals?: readonly object[]) {
  const parts = [{ data: { approvals }, mediaType: "application/json" }];
  const message = approvals && { messageId: "m", role: "ROLE_AGENT", parts };
  return {
    task: {
      id: "t1",
      contextId: "c1",
      status: { state: `TASK_STATE_${state}`, ...(message ? { message } : {}) },
      artifacts: answer === "" ? [] : [{ artifactId: "answer", parts: [{ text: answer }] }],
    },
  };
}

export function piece(text: string, append: boolean) {
  const ids = { taskId: "t1", contextId: "c1" };
  return { artifactUpdate: { ...ids, artifact: { artifactId: "answer", parts: [{ text }] }, append } };
}

export function status(state: string) {
  return { statusUpdate: { taskId: "t1", contextId: "c1", status: { state: `TASK_STATE_${state}` } } };
}

function json(response: ServerResponse, code: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(code, { ...headers, "content-type": "application/json" }).end(JSON.stringify(body));
}

function card(url: string) {
  return {
    name: "Double",
    description: "",
    version: "1.0.0",
    supportedInterfaces: [{ url, protocolBinding: "HTTP+JSON", protocolVersion: "1.0" }],
    capabilities: { streaming: true },
    defaultInputModes: ["text/plain"],
    defaultOutputModes: ["text/plain"],
    skills: [],
  };
}
