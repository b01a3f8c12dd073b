// The API's own client, for what is asked seldom and answered in one piece: counts of tokens and compactions. Made when
// it is first used. It retries refused calls by itself.
import { BaseAnthropic } from "@anthropic-ai/sdk/client";
import type { Middleware } from "@anthropic-ai/sdk/core/middleware";
import { connectionLost } from "./model-errors.ts";
import { ModelError } from "./model.ts";
import type { WatchedCall } from "./watched-call.ts";
import { watchedFetch, watchedRequests } from "./watched-fetch.ts";

export interface ApiClientOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly fetch: typeof fetch;
  readonly headers?: Record<string, string>;
}

/** Runs `work` with the client, and with its options for `call`: all its requests within belong to this call. */
export type ApiClient = <Result>(
  call: WatchedCall,
  work: (client: BaseAnthropic, options: { signal: AbortSignal; maxRetries: number }) => PromiseLike<Result>,
) => Promise<Result>;

/** The client does not retry what a middleware throws: neither broken connections nor wrong addresses. */
const lostOnce: Middleware = async (request, next) => {
  try {
    return await next(request);
  } catch (error) {
    throw error instanceof ModelError ? error : connectionLost(error);
  }
};

export function apiClient(options: ApiClientOptions): ApiClient {
  let made: BaseAnthropic | undefined;
  return async (call, work) => {
    const client = (made ??= make(options));
    const { signal, maxRetries } = call;
    return watchedRequests.run({ call, count: 0 }, async () => work(client, { signal, maxRetries }));
  };
}

function make({ baseUrl, apiKey, headers = {}, fetch }: ApiClientOptions): BaseAnthropic {
  return new BaseAnthropic({
    apiKey,
    authToken: null,
    baseURL: baseUrl,
    fetch: watchedFetch(fetch),
    middleware: [lostOnce],
    defaultHeaders: headers,
    logLevel: "off",
    // The client's own spans would duplicate ours.
    openTelemetry: false,
  });
}
