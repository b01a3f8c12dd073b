// The Messages API backend: Claude, or anything else that serves `/v1/messages` (the offline model does).
// Retries before the stream begins are the client's own (2, on 408/409/429/5xx, honouring retry-after).
import { AsyncLocalStorage } from "node:async_hooks";
import { BaseAnthropic } from "@anthropic-ai/sdk/client";
import { Messages, type RawMessageStreamEvent } from "@anthropic-ai/sdk/resources/messages/messages";
import { IdleWatch } from "./idle-watch.ts";
import { toModelError } from "./model-errors.ts";
import { ModelError, type Model, type ModelRequest, type RetryNotice } from "./model.ts";
import type { Price } from "../tracing/price.ts";

export interface MessagesApiOptions {
  /** Origin, e.g. `https://api.anthropic.com`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly model: string;
  /** As `gen_ai.provider.name` has it. */
  readonly provider: string;
  readonly price?: Price | undefined;
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
    fetch: noticingRetries(options.fetch),
    defaultHeaders: options.headers ?? {},
    logLevel: "off",
    // Its own spans would double ours.
    openTelemetry: false,
  });
  const messages = new Messages(client);
  const idleLimitMs = options.idleLimitMs ?? 60_000;

  async function* stream(
    request: ModelRequest,
    signal: AbortSignal,
    onRetry: (notice: RetryNotice) => void,
  ): AsyncGenerator<RawMessageStreamEvent> {
    const stall = new AbortController();
    const watch = new IdleWatch(idleLimitMs, () => stall.abort());
    try {
      const body = {
        model: options.model,
        max_tokens: options.maxTokens,
        cache_control: { type: "ephemeral" as const },
        system: request.system,
        messages: request.messages,
        ...(request.tools.length > 0 ? { tools: request.tools } : {}),
        stream: true as const,
      };
      const both = AbortSignal.any([signal, stall.signal]);
      const response = await attempts.run({ count: 0, onRetry, last: undefined }, async () =>
        messages.create(body, { signal: both }),
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
  const { hostname, port, protocol } = new URL(options.baseUrl);
  return {
    name: options.model,
    provider: options.provider,
    server: { address: hostname, port: port === "" ? (protocol === "http:" ? 80 : 443) : Number(port) },
    price: options.price,
    maxTokens: options.maxTokens,
    stream,
  };
}

interface Attempts {
  count: number;
  /** How the last one failed. */
  last: Omit<RetryNotice, "attempt"> | undefined;
  readonly onRetry: (notice: RetryNotice) => void;
}

/** The attempts of the call that this runs for: the client makes them by itself, and all calls share its one fetch. */
const attempts = new AsyncLocalStorage<Attempts>();

function noticingRetries(fetchImpl: typeof fetch): typeof fetch {
  return async (input, init) => {
    const call = attempts.getStore();
    if (call?.last) call.onRetry({ attempt: call.count, ...call.last });
    try {
      const response = await fetchImpl(input, init);
      if (call) call.last = { status: response.status, reason: String(response.status) };
      return response;
    } catch (error) {
      if (call) call.last = { status: undefined, reason: error instanceof Error ? error.name : "error" };
      throw error;
    } finally {
      if (call) call.count++;
    }
  };
}
