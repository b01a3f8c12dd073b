// The internal interface to models: a model answers a Messages API request with a stream of Messages API events.
import * as z from "zod";
import type { Price } from "../budget/price.ts";
import type { MessageParam, RawMessageStreamEvent, ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Usage } from "../budget/usage.ts";
import type { GateChange } from "../resilience/breaker.ts";

export interface ModelRequest {
  readonly system: string;
  readonly messages: MessageParam[];
  readonly tools: ToolUnion[];
  /** Upper bound of the answer, in tokens. Default: the model's own. */
  readonly maxTokens?: number;
  /** JSON Schema of the answer's text (`output_config.format`). */
  readonly outputSchema?: Record<string, unknown>;
  /** The compacted messages before `messages`, made by `Model.compact`. */
  readonly compacted?: CompactionBlock;
}

/** The API's own summary of a conversation. Signed, so it is stored and sent back unchanged. */
export const CompactionBlock = z.looseObject({ type: z.literal("compaction"), content: z.string().min(1) });
export type CompactionBlock = Readonly<z.infer<typeof CompactionBlock>>;

export interface Compaction {
  /** Undefined when the API answered without a summary. The block's `content` is the summary's text. */
  readonly block: CompactionBlock | undefined;
  /** Has to be paid with or without a block. */
  readonly usage: Usage;
}

export interface Model {
  /** The model's name in requests, e.g. `claude-sonnet-5-5`. */
  readonly name: string;
  /** Value of `gen_ai.provider.name`. */
  readonly provider: string;
  /** Where the model is served; for traces only. */
  readonly server: { readonly address: string; readonly port: number };
  /** Undefined when unknown: a cost is never guessed. */
  readonly price: Price | undefined;
  /** Upper bound of one answer, in tokens. */
  readonly maxTokens: number;
  /** Tokens that a request and its answer may have together. */
  readonly contextTokens: number;
  /** Pauses before each retry of a broken call, in milliseconds. Default: 250 and 1,000. */
  readonly retryPausesMs?: readonly number[] | undefined;
  /** Tokens of a request; undefined when the backend cannot count. Throws ModelError. */
  countTokens(request: ModelRequest, signal: AbortSignal): Promise<number | undefined>;
  /**
   * Makes one model call. Ends with `message_stop`; throws a ModelError for any failure before that. Aborting `signal`
   * closes the connection.
   */
  stream(
    request: ModelRequest,
    signal: AbortSignal,
    onNotice: (notice: ModelNotice) => void,
  ): AsyncIterable<RawMessageStreamEvent>;
  /**
   * Lets the API summarise the messages of a request according to `instructions`; absent where no API does. The
   * messages must not end in the middle of a turn. Throws ModelError, also when the API does not know compaction, or
   * refuses this conversation.
   */
  readonly compact?: (
    request: ModelRequest,
    instructions: string,
    signal: AbortSignal,
    onNotice: (notice: ModelNotice) => void,
  ) => Promise<Compaction>;
  /** False once the API has turned out not to know compaction. */
  readonly canCompact?: () => boolean;
}

/** Events of a call beside its answer, for traces. */
export type ModelNotice = RetryNotice | ({ readonly kind: "breaker" } & GateChange);

/** The request is retried before an answer began. */
export interface RetryNotice {
  readonly kind: "retry";
  /** Ordinal of the retry, from 1. */
  readonly attempt: number;
  /** HTTP status of the last attempt; undefined without a response. */
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
  | "connection_lost"
  | "broken_stream"
  /** The answer has too many tokens or bytes. */
  | "too_long"
  /** The request exceeds the context; refused before any work. */
  | "prompt_too_long"
  | "stalled"
  | "circuit_open"
  /** The address is no Messages API. */
  | "wrong_address";

const RETRYABLE: ReadonlySet<ModelErrorCode> = new Set(["overloaded", "connection_lost", "broken_stream", "stalled"]);
/** After these the API may have worked on the call, which then has to be paid for. */
const MAY_HAVE_BEGUN: ReadonlySet<ModelErrorCode> = new Set([
  "connection_lost",
  "broken_stream",
  "stalled",
  "too_long",
]);

/** A failed model call. The message is for people, and says what to do. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: ModelErrorCode;
  /** Whether a retry may succeed. Also false when the backend has retried often enough. */
  readonly retryable: boolean;
  /** How many times too long the request was, if known. */
  readonly timesTooLong: number | undefined;
  /** The backend lives, and said when to retry. */
  readonly isBusy: boolean;

  /** Whether the API may have worked on the call although no answer came. */
  get mayHaveBegun(): boolean {
    return MAY_HAVE_BEGUN.has(this.code);
  }

  constructor(
    code: ModelErrorCode,
    message: string,
    options: ErrorOptions & {
      readonly retryable?: boolean;
      readonly timesTooLong?: number | undefined;
      readonly isBusy?: boolean;
    } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryable = options.retryable ?? RETRYABLE.has(code);
    this.timesTooLong = options.timesTooLong;
    this.isBusy = options.isBusy ?? false;
  }
}
