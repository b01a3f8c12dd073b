// The one internal wire: a model is whatever answers a Messages API request with a stream of Messages API events.
import type { Price } from "../tracing/price.ts";
import type { MessageParam, RawMessageStreamEvent, ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";

export interface ModelRequest {
  readonly system: string;
  readonly messages: MessageParam[];
  readonly tools: ToolUnion[];
}

export interface Model {
  /** As sent in each request, e.g. `claude-sonnet-5-5`. */
  readonly name: string;
  /** Who serves it, as `gen_ai.provider.name` has it. */
  readonly provider: string;
  /** Where it is served; for traces only. */
  readonly server: { readonly address: string; readonly port: number };
  /** Undefined where it is not known: a cost is never guessed. */
  readonly price: Price | undefined;
  /** Upper bound of one answer, in tokens. */
  readonly maxTokens: number;
  /**
   * One model call. Ends with `message_stop`; whatever goes wrong before that is thrown as a ModelError.
   * Aborting `signal` closes the connection. `onRetry` hears of each time the API is asked again before it had begun to answer.
   */
  stream(
    request: ModelRequest,
    signal: AbortSignal,
    onRetry: (notice: RetryNotice) => void,
  ): AsyncIterable<RawMessageStreamEvent>;
}

export interface RetryNotice {
  /** Ordinal of the retry, from 1. */
  readonly attempt: number;
  /** HTTP status that the API turned the last attempt away with; undefined when there was no answer at all. */
  readonly status: number | undefined;
  readonly reason: string;
}

export type ModelErrorCode =
  | "unauthorized"
  | "forbidden"
  | "invalid_request"
  | "rate_limited"
  | "overloaded"
  | "unavailable"
  | "broken_stream"
  | "too_long"
  | "stalled";

/** A model call that failed; the message is for the person who asked, and says what to do. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether the same call may succeed when it is made again after it had begun to stream. */
  get retryable(): boolean {
    return this.code === "overloaded" || this.code === "broken_stream" || this.code === "stalled";
  }
}
