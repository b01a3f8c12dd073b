// The Messages API backend: Claude, or anything else that serves `/v1/messages` (the offline model does).
// Retries before the stream begins are the client's own (2, on 408/409/429/5xx, honouring retry-after).
import { BaseAnthropic } from "@anthropic-ai/sdk/client";
import { AnthropicError, APIError } from "@anthropic-ai/sdk/core/error";
import { Messages, type RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import { IdleWatch } from "./idle-watch.ts";
import { ModelError, type Model, type ModelErrorCode, type ModelRequest } from "./model.ts";

export interface MessagesApiOptions {
  /** Origin, e.g. `https://api.anthropic.com`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  readonly maxTokens: number;
  readonly fetch: typeof fetch;
  readonly headers?: Record<string, string>;
  /** Longest silence within a stream, in milliseconds. Pings count as life. Default 60,000. */
  readonly idleLimitMs?: number;
}

export function messagesApi(options: MessagesApiOptions): Model {
  const client = new BaseAnthropic({
    apiKey: options.apiKey,
    authToken: null,
    baseURL: options.baseUrl,
    fetch: options.fetch,
    defaultHeaders: options.headers ?? {},
    logLevel: "off",
  });
  const messages = new Messages(client);
  const idleLimitMs = options.idleLimitMs ?? 60_000;

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<RawMessageStreamEvent> {
    const stall = new AbortController();
    const watch = new IdleWatch(idleLimitMs, () => stall.abort());
    try {
      const response = await messages.create(
        {
          model: options.model,
          max_tokens: options.maxTokens,
          cache_control: { type: "ephemeral" },
          system: request.system,
          messages: request.messages,
          ...(request.tools.length > 0 ? { tools: request.tools } : {}),
          stream: true,
        },
        { signal: AbortSignal.any([signal, stall.signal]) },
      );
      for await (const event of response) {
        watch.heard();
        yield event;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!watch.stalled) throw toModelError(error, options.baseUrl);
    } finally {
      watch.stop();
    }
    if (watch.stalled) {
      throw new ModelError("stalled", `The model sent nothing for ${idleLimitMs / 1000} s; the call was given up.`);
    }
  }
  return { name: options.model, maxTokens: options.maxTokens, stream };
}

function toModelError(error: unknown, baseUrl: string): ModelError {
  if (error instanceof ModelError) return error;
  if (isApiError(error)) {
    const [code, advice] = explain(error, new URL(baseUrl).host);
    return new ModelError(code, `${advice} (${error.message})`, { cause: error });
  }
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof AnthropicError || error instanceof SyntaxError || error instanceof TypeError) {
    return new ModelError("broken_stream", `The model's answer broke off or was malformed: ${reason}`, {
      cause: error,
    });
  }
  return new ModelError("unavailable", `The model could not be reached: ${reason}`, { cause: error });
}

/** Narrows to the type's defaults: the class's own parameters are any. */
function isApiError(error: unknown): error is APIError {
  return error instanceof APIError;
}

function explain(error: APIError, host: string): [ModelErrorCode, string] {
  switch (error.status) {
    case 401:
      return [
        "unauthorized",
        `The model API at ${host} refused the key: set ANTHROPIC_API_KEY to a valid key and deploy again`,
      ];
    case 403:
      return [
        "forbidden",
        `The model API at ${host} does not allow this key to use this model: check the key's workspace and the model's name`,
      ];
    case 429:
      return ["rate_limited", `The model API at ${host} limits the rate of requests: try again later`];
    case 529:
      return ["overloaded", `The model API at ${host} is overloaded: try again later`];
    case undefined:
      return error.type === "overloaded_error"
        ? ["overloaded", "The model was overloaded while it answered"]
        : ["unavailable", `The model API at ${host} could not be reached`];
    default:
      return error.status >= 500
        ? ["unavailable", `The model API at ${host} failed with status ${error.status}: try again later`]
        : ["invalid_request", `The model API at ${host} rejected the request with status ${error.status}`];
  }
}
