// A server on 127.0.0.1 in place of a backend, which answers each request as a test says, down to single bytes: for what no mock does.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text as readText } from "node:stream/consumers";
import { afterAll, beforeEach } from "vitest";
import * as z from "zod";
import type { Gate } from "#shared/resilience/breaker.ts";
import { messagesApi } from "#shared/models/messages-api.ts";
import type { Model } from "#shared/models/model.ts";

/** `n`: ordinal of the request, from 1. */
export type Behave = (response: ServerResponse, n: number) => void;

const Request = z.looseObject({
  messages: z.array(z.object({ role: z.string(), content: z.array(z.looseObject({ type: z.string() })) })),
});

/** One request as it came; `at` in milliseconds since the epoch. */
export interface RawCall {
  readonly at: number;
  readonly path: string;
  readonly beta: string | undefined;
  readonly body: z.infer<typeof Request>;
}

export class RawMessagesApi {
  readonly calls: RawCall[] = [];
  readonly url: string;
  behave: Behave = (response) => response.destroy();

  private constructor(server: Server) {
    const address = server.address();
    this.url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    server.on("request", (request, response) => {
      // What is no request of the Messages API gets no answer, which fails the test that sent it.
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  /** One for all tests of a file: each begins without calls, and after the last it is closed. */
  static async forFile(): Promise<RawMessagesApi> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const api = new RawMessagesApi(server);
    beforeEach(() => void api.calls.splice(0));
    afterAll(() => {
      server.closeAllConnections();
      server.close();
    });
    return api;
  }

  /** The backend that is under test, on this server. */
  model(more: { idleLimitMs?: number; gate?: Gate; provider?: string } = {}): Model {
    const name = { model: "claude-sonnet-5-5", provider: "anthropic" };
    return messagesApi({
      baseUrl: this.url,
      apiKey: "test",
      ...name,
      maxTokens: 100,
      contextTokens: 10_000,
      // So that no test waits for the loop's own pauses.
      retryPausesMs: [1, 1],
      fetch,
      ...more,
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Request.parse(JSON.parse(await readText(request)));
    const { url: path = "", headers } = request;
    this.calls.push({ at: Date.now(), path, beta: headers["anthropic-beta"]?.toString(), body });
    this.behave(response.setHeader("content-type", "text/event-stream"), this.calls.length);
  }
}

interface Typed {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** One event of a stream, as it goes over the wire. */
export function event(data: Typed): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const START = event({
  type: "message_start",
  message: { id: "m", model: "m", content: [], usage: { input_tokens: 1, output_tokens: 1 } },
});

/** A block that begins as `block` and gets these deltas. */
export function block(index: number, begin: Typed, ...deltas: Typed[]): string {
  return [
    event({ type: "content_block_start", index, content_block: begin }),
    ...deltas.map((delta) => event({ type: "content_block_delta", index, delta })),
    event({ type: "content_block_stop", index }),
  ].join("");
}

export const text = (words: string, index = 0) =>
  block(index, { type: "text", text: "" }, { type: "text_delta", text: words });

export const toolUse = (id: string, json: string, index = 0) =>
  block(index, { type: "tool_use", id, name: "echo", input: {} }, { type: "input_json_delta", partial_json: json });

export const end = (stopReason = "end_turn") =>
  event({ type: "message_delta", delta: { stop_reason: stopReason }, usage: { output_tokens: 2 } }) +
  event({ type: "message_stop" });

/** A whole answer of these blocks. */
export const answer = (blocks: string, stopReason?: string) => START + blocks + end(stopReason);
