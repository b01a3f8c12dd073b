// A scripted Messages API of this machine, in place of Claude: a real server that streams, whose answers each test writes.
// Agents are told apart by the model's name, so a job gives each of its agents its own id as such.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text as readText } from "node:stream/consumers";

import * as z from "zod";

import { bearer } from "#shared/a2a/token.ts";

import { answerEvents, type Piece } from "./messages-stream.ts";

/** What a model says to one call: pieces, sent as they come, so that it may wait between two; or an error instead. */
export type Script = (call: ModelCall) => Iterable<Piece> | AsyncIterable<Piece> | ApiFailure;

export interface ApiFailure {
  readonly status: number;
  readonly message: string;
}

const Block = z.looseObject({
  type: z.string(),
  text: z.string().default(""),
  content: z.unknown().optional(),
  is_error: z.boolean().default(false),
});
const Request = z.looseObject({
  model: z.string(),
  stream: z.literal(true),
  system: z.string(),
  tools: z.array(z.looseObject({ name: z.string(), input_schema: z.unknown().optional() })).default([]),
  messages: z.array(z.object({ role: z.enum(["user", "assistant"]), content: z.array(Block) })),
});

/** The API's own compaction is nothing that a script answers: an API without it says so. */
const AsksForCompaction = z.object({ compaction: z.object({}) });

/** One request as the server saw it; times are milliseconds since the epoch. */
export interface ModelCall {
  readonly request: z.infer<typeof Request>;
  /** The body as it came. */
  readonly body: string;
  /** The key that it came with. */
  readonly key: string | undefined;
  readonly begunAt: number;
  /** When the whole answer had been sent; undefined until then. */
  answeredAt?: number;
  /** When the other side hung up before that; undefined if it did not. */
  brokenAt?: number;
  /** Aborts when the other side hangs up. */
  readonly gone: AbortSignal;
}

/** What the person or the agent that asks said last; empty when results of tools came last. */
export function saidLast({ request }: ModelCall): string {
  const last = request.messages.at(-1)?.content ?? [];
  return last.at(-1)?.text ?? "";
}

/** The results of tools in the last message. */
export function lastResults({ request }: ModelCall): { text: string; isError: boolean }[] {
  const last = request.messages.at(-1)?.content ?? [];
  return last
    .filter(({ type }) => type === "tool_result")
    .map(({ content, is_error: isError }) => ({ text: String(content), isError }));
}

/** Thrown by a script: the connection is cut, whatever was said before. */
export class Cut extends Error {
  override readonly name = "Cut";
}

/** A piece that never comes: the call stays open until the other side hangs up. */
export async function silence({ gone }: ModelCall): Promise<void> {
  if (!gone.aborted) await once(gone, "abort");
}

export class MessagesApi {
  readonly port: number;
  readonly #address: string;
  /** Every call there was, oldest first. */
  readonly calls: ModelCall[] = [];
  /** Requests that were no calls of a model. */
  readonly strays: string[] = [];
  readonly #server: Server;
  readonly #scripts = new Map<string, { script: Script; calls: ModelCall[] }>();
  readonly #failures: unknown[] = [];

  private constructor(server: Server, listensAt: string) {
    this.#server = server;
    this.#address = listensAt;
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    server.on("request", (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        if (!(error instanceof Cut)) this.#failures.push(error);
        response.destroy();
      });
    });
  }

  static async start(listensAt = "127.0.0.1"): Promise<MessagesApi> {
    // Longer than any test: a connection that is kept alive must not be closed just when it is used again.
    const server = createServer({ keepAliveTimeout: 600_000 }).listen(0, listensAt);
    await once(server, "listening");
    return new MessagesApi(server, listensAt);
  }

  /** What a deployment needs to take this for Claude. */
  get environment(): { ANTHROPIC_BASE_URL: string; ANTHROPIC_API_KEY: string } {
    return { ANTHROPIC_BASE_URL: `http://${this.#address}:${this.port}`, ANTHROPIC_API_KEY: "sk-dummy-key" };
  }

  /** From now on `model` answers by this script. Returns the calls that it gets, a list that grows. */
  script(model: string, script: Script): readonly ModelCall[] {
    const calls: ModelCall[] = [];
    this.#scripts.set(model, { script, calls });
    return calls;
  }

  /** Closes all connections. Throws what went wrong in a script, which no agent could have told. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
    if (this.#failures.length > 0) throw new AggregateError(this.#failures, "The scripted Messages API failed.");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "POST" || request.url !== "/v1/messages") {
      this.strays.push(`${request.method ?? ""} ${request.url ?? ""}`);
      response.writeHead(404).end();
      return;
    }
    const begunAt = Date.now();
    const hangUp = new AbortController();
    const body = await readText(request);
    const json: unknown = JSON.parse(body);
    if (AsksForCompaction.safeParse(json).success) {
      const message = "compaction: Extra inputs are not permitted";
      refuse(response, { status: 400, message });
      return;
    }
    const parsed = Request.parse(json);
    const call: ModelCall = {
      request: parsed,
      body,
      key: bearer(request.headers.authorization),
      begunAt,
      gone: hangUp.signal,
    };
    response.once("close", () => {
      if (call.answeredAt !== undefined) return;
      call.brokenAt = Date.now();
      hangUp.abort();
    });
    this.calls.push(call);
    const scripted = this.#scripts.get(parsed.model);
    if (!scripted) throw new Error(`The model ${parsed.model} was called and has no script.`);
    scripted.calls.push(call);
    await answer(call, scripted.script, `msg${this.calls.length}`, response);
  }
}

async function answer(call: ModelCall, script: Script, id: string, response: ServerResponse): Promise<void> {
  const said = script(call);
  if ("status" in said) {
    refuse(response, said);
  } else {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for await (const event of answerEvents(call.request.model, id, said)) {
      if (call.gone.aborted) return;
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    }
  }
  call.answeredAt = Date.now();
  response.end();
}

function refuse(response: ServerResponse, { status, message }: ApiFailure): void {
  const body = { type: "error", error: { type: "scripted_error", message } };
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
