// The Messages API backend: Claude, or anything else that serves `/v1/messages` (the offline model does).
// Retries before the stream begins are the client's own (2, on 408/409/429/5xx, honouring retry-after).
import { BaseAnthropic } from "@anthropic-ai/sdk/client";
import { Messages, type RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import { IdleWatch } from "./idle-watch.ts";
import { toModelError } from "./model-errors.ts";
import { ModelError, type Model, type ModelRequest } from "./model.ts";

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
      if (!watch.stalled) throw toModelError(error);
    } finally {
      watch.stop();
    }
    if (watch.stalled) {
      throw new ModelError("stalled", `The model sent nothing for ${idleLimitMs / 1000} s; the call was given up.`);
    }
  }
  return { name: options.model, maxTokens: options.maxTokens, stream };
}
