// The Messages API backend: Claude, or any other server of `/v1/messages`, such as the offline model. A call makes its own
// request and reads its own stream: with the API's client these took a seventh of a turn's time.
import {
  Messages,
  type MessageCreateParamsStreaming,
  type MessageParam,
  type RawMessageStreamEvent,
} from "@anthropic-ai/sdk/resources/messages/messages";
import { answerIn } from "./answer.ts";
import { apiClient } from "./api-client.ts";
import { hasNoCompaction, requestCompaction, withCompaction } from "./compaction.ts";
import type { Gate } from "../resilience/breaker.ts";
import { isNotServed } from "./model-errors.ts";
import { ModelError, type Compaction, type Model, type ModelNotice, type ModelRequest } from "./model.ts";
import { send, type HttpRequest } from "./request.ts";
import { WatchedBody } from "./watched-body.ts";
import { WatchedCall } from "./watched-call.ts";
import type { Price } from "../budget/price.ts";

export interface MessagesApiOptions {
  /** Origin, e.g. `https://api.anthropic.com`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  /** Value of `gen_ai.provider.name`. */
  readonly provider: string;
  readonly price?: Price | undefined;
  readonly maxTokens: number;
  readonly contextTokens: number;
  readonly fetch: typeof fetch;
  readonly headers?: Record<string, string>;
  /** Longest silence within a stream, in milliseconds. Pings end silence. Default 60,000. */
  readonly idleLimitMs?: number;
  readonly retryPausesMs?: Model["retryPausesMs"];
  /** Admits each call. */
  readonly gate?: Gate;
}

/** Compaction sends nothing until its end, so it gets longer than a pause within a stream. In milliseconds. */
const COMPACTION_LIMIT_MS = 300_000;
const COUNT_LIMIT_MS = 10_000;

/** The API's version that requests and events are of: the same as in the API's own client. */
const API_VERSION = "2026-10-21";

export function messagesApi(options: MessagesApiOptions): Model {
  const { gate, idleLimitMs = 60_000 } = options;
  const url = new URL(`${options.baseUrl.replace(/\/$/, "")}/v1/messages`).href;
  const askClient = apiClient(options);
  let headers: Readonly<Record<string, string>> | undefined;
  let counts = true;
  let compacts = true;

  function prompt(request: ModelRequest) {
    const { messages, beta } = withCompaction(request);
    const tools = request.tools.length > 0 ? { tools: request.tools } : {};
    return { body: { model: options.model, system: request.system, messages, ...tools }, beta };
  }

  function streamed(request: ModelRequest): HttpRequest {
    const { body, beta } = prompt(request);
    const { maxTokens = options.maxTokens, outputSchema: schema } = request;
    const { messages, ...others } = body;
    const create: Omit<MessageCreateParamsStreaming, "messages"> = {
      ...others,
      max_tokens: maxTokens,
      cache_control: { type: "ephemeral" },
      ...(schema ? { output_config: { format: { type: "json_schema", schema } } } : {}),
      stream: true,
    };
    headers ??= headersOf(options);
    const json = `${JSON.stringify(create).slice(0, -1)},"messages":[${messages.map(jsonOf).join(",")}]}`;
    return { url, headers: beta ? { ...headers, ...beta } : headers, body: json };
  }

  async function* stream(
    request: ModelRequest,
    signal: AbortSignal,
    onNotice: (notice: ModelNotice) => void,
  ): AsyncGenerator<RawMessageStreamEvent> {
    const call = new WatchedCall(gate, idleLimitMs, signal, onNotice);
    let body: WatchedBody | undefined;
    let isWhole = false;
    try {
      let isComplete = false;
      const response = await send(options.fetch, streamed(request), call);
      body = new WatchedBody(response, call.watch);
      for await (const events of answerIn(response, body)) {
        for (const event of events) {
          signal.throwIfAborted();
          isWhole = event.type === "message_stop";
          if (isWhole) call.succeeded();
          yield event;
          if (isWhole) return;
          isComplete ||= event.type === "message_delta" && typeof event.delta.stop_reason === "string";
        }
      }
      // Some servers leave the last event out. The stop reason comes after all content.
      if (!isComplete) throw new ModelError("broken_stream", "The model's answer ended before it was complete.");
      call.succeeded();
      yield { type: "message_stop" };
    } catch (error) {
      throw call.failure(error);
    } finally {
      if (!isWhole) body?.cancel();
      call.end(isWhole ? body?.readEnd() : undefined);
    }
  }

  async function countTokens(request: ModelRequest, signal: AbortSignal): Promise<number | undefined> {
    if (!counts || gate?.isClosed === false) return undefined;
    const { body, beta: headers } = prompt(request);
    const call = new WatchedCall(undefined, COUNT_LIMIT_MS, signal, () => {});
    try {
      const { input_tokens: counted }: { input_tokens: unknown } = await askClient(call, (client, callOptions) =>
        new Messages(client).countTokens(body, { ...callOptions, headers, maxRetries: 0 }),
      );
      if (typeof counted === "number" && counted >= 0) return counted;
      throw new ModelError("broken_stream", "The model API counted tokens, but its answer has no number of them.");
    } catch (error) {
      if (!isNotServed(error)) throw call.failure(error);
      counts = false;
      return undefined;
    } finally {
      call.end();
    }
  }

  async function compact(
    request: ModelRequest,
    instructions: string,
    signal: AbortSignal,
    onNotice: (notice: ModelNotice) => void,
  ): Promise<Compaction> {
    const body = { ...prompt(request).body, max_tokens: request.maxTokens ?? options.maxTokens };
    const call = new WatchedCall(gate, COMPACTION_LIMIT_MS, signal, onNotice);
    try {
      const { isKnown, ...compaction } = await askClient(call, (client, callOptions) =>
        requestCompaction(client, body, instructions, callOptions),
      );
      call.succeeded();
      compacts = isKnown;
      return compaction;
    } catch (error) {
      if (hasNoCompaction(error)) compacts = false;
      throw call.failure(error);
    } finally {
      call.end();
    }
  }

  const { hostname, port, protocol } = new URL(options.baseUrl);
  return {
    name: options.model,
    provider: options.provider,
    server: { address: hostname, port: port === "" ? (protocol === "http:" ? 80 : 443) : Number(port) },
    price: options.price,
    maxTokens: options.maxTokens,
    contextTokens: options.contextTokens,
    retryPausesMs: options.retryPausesMs,
    countTokens,
    stream,
    ...(options.provider === "anthropic" ? { compact, canCompact: () => compacts } : {}),
  };
}

/** Of messages that were written before: those of earlier turns are the same objects in each request. */
const written = new WeakMap<MessageParam, string>();

function jsonOf(message: MessageParam): string {
  const json = written.get(message) ?? JSON.stringify(message);
  written.set(message, json);
  return json;
}

/** The headers of all streamed requests. Throws TypeError for a value that is none. */
function headersOf({ apiKey, headers = {} }: MessagesApiOptions): Record<string, string> {
  const all = new Headers({ accept: "application/json", "user-agent": "Troupe", "anthropic-version": API_VERSION });
  all.set("authorization", `Bearer ${apiKey}`);
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  all.set("content-type", "application/json");
  return Object.fromEntries(all);
}
