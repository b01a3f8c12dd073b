// The Messages API backend: Claude, or any other server of `/v1/messages`, such as the offline model. The API client
// retries refused calls, which cost nothing (twice, on 408/409/429/5xx, with a retry-after of up to a minute). Broken
// connections are not retried here: each further call has to be paid for.
import { BaseAnthropic } from "@anthropic-ai/sdk/client";
import type { Middleware } from "@anthropic-ai/sdk/core/middleware";
import { Messages, type RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import { answerIn } from "./answer.ts";
import { hasNoCompaction, requestCompaction, withCompaction } from "./compaction.ts";
import { asStream } from "./content-type.ts";
import type { Gate } from "../resilience/breaker.ts";
import { connectionLost, isNotServed } from "./model-errors.ts";
import { ModelError, type Compaction, type Model, type ModelNotice, type ModelRequest } from "./model.ts";
import { WatchedCall } from "./watched-call.ts";
import { watchedFetch, watchedRequests } from "./watched-fetch.ts";
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

/** The client does not retry what a middleware throws: neither broken connections nor wrong addresses. */
const requireStream: Middleware = async (request, next) => {
  try {
    const response = await next(request);
    return response.ok && watchedRequests.getStore()?.expects === "stream" ? await asStream(response) : response;
  } catch (error) {
    throw error instanceof ModelError ? error : connectionLost(error);
  }
};

export function messagesApi(options: MessagesApiOptions): Model {
  const { gate, idleLimitMs = 60_000 } = options;
  const client = new BaseAnthropic({
    apiKey: options.apiKey,
    authToken: null,
    baseURL: options.baseUrl,
    fetch: watchedFetch(options.fetch),
    middleware: [requireStream],
    defaultHeaders: options.headers ?? {},
    logLevel: "off",
    // The client's own spans would duplicate ours.
    openTelemetry: false,
  });
  const messages = new Messages(client);
  let counts = true;
  let compacts = true;

  function prompt(request: ModelRequest) {
    const { messages, headers } = withCompaction(request);
    const tools = request.tools.length > 0 ? { tools: request.tools } : {};
    return { body: { model: options.model, system: request.system, messages, ...tools }, headers };
  }

  async function* stream(
    request: ModelRequest,
    signal: AbortSignal,
    onNotice: (notice: ModelNotice) => void,
  ): AsyncGenerator<RawMessageStreamEvent> {
    const { body, headers } = prompt(request);
    const format = request.outputSchema && { type: "json_schema" as const, schema: request.outputSchema };
    const create = {
      ...body,
      max_tokens: request.maxTokens ?? options.maxTokens,
      cache_control: { type: "ephemeral" as const },
      ...(format ? { output_config: { format } } : {}),
      stream: true as const,
    };
    const call = new WatchedCall(gate, idleLimitMs, signal, onNotice);
    try {
      let isComplete = false;
      const response = await call.run("stream", () =>
        messages.create(create, { ...call.options, headers }).asResponse(),
      );
      for await (const events of answerIn(response)) {
        for (const event of events) {
          if (event.type === "message_stop") call.succeeded();
          yield event;
          if (event.type === "message_stop") return;
          isComplete ||= event.type === "message_delta" && typeof event.delta.stop_reason === "string";
        }
      }
      // Some servers leave the last event out. The stop reason comes after all content.
      if (isComplete) {
        call.succeeded();
        yield { type: "message_stop" };
        return;
      }
      throw new ModelError("broken_stream", "The model's answer ended before it was complete.");
    } catch (error) {
      throw call.failure(error);
    } finally {
      call.end();
    }
  }

  async function countTokens(request: ModelRequest, signal: AbortSignal): Promise<number | undefined> {
    if (!counts || gate?.isClosed === false) return undefined;
    const { body, headers } = prompt(request);
    const call = new WatchedCall(undefined, COUNT_LIMIT_MS, signal, () => {});
    try {
      const { input_tokens: counted }: { input_tokens: unknown } = await call.run("json", () =>
        messages.countTokens(body, { ...call.options, headers, maxRetries: 0 }),
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
      const { isKnown, ...compaction } = await call.run("json", () =>
        requestCompaction(client, body, instructions, call.options),
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
