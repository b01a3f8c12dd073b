// The one internal wire: a model is whatever answers a Messages API request with a stream of Messages API events.
import * as z from "zod";
import type { Price } from "../budget/price.ts";
import type { MessageParam, RawMessageStreamEvent, ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Usage } from "../budget/usage.ts";
import type { GateChange } from "../resilience/breaker.ts";

export interface ModelRequest {
  readonly system: string;
  readonly messages: MessageParam[];
  readonly tools: ToolUnion[];
  /** Upper bound of the answer, in tokens; the model's own when left out. */
  readonly maxTokens?: number;
  /** JSON Schema that the answer's text has to fit (`output_config.format`). */
  readonly outputSchema?: Record<string, unknown>;
  /** What `Model.compact` made of the messages before `messages`; it goes before them. */
  readonly compacted?: CompactionBlock;
}

/** The API's own summary of a conversation: signed, so it is kept and sent back as it came. */
export const CompactionBlock = z.looseObject({ type: z.literal("compaction"), content: z.string().min(1) });
export type CompactionBlock = Readonly<z.infer<typeof CompactionBlock>>;

export interface Compaction {
  /** Undefined where the API answered without a summary; its text is the block's `content`. */
  readonly block: CompactionBlock | undefined;
  /** What has to be paid, in any case. */
  readonly usage: Usage;
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
  /** Tokens that a request and its answer may have together. */
  readonly contextTokens: number;
  /** Tokens of a request, where the backend can count them; undefined where it cannot. Throws ModelError. */
  countTokens(request: ModelRequest, signal: AbortSignal): Promise<number | undefined>;
  /**
   * One model call. Ends with `message_stop`; whatever goes wrong before that is thrown as a ModelError.
   * Aborting `signal` closes the connection.
   */
  stream(
    request: ModelRequest,
    signal: AbortSignal,
    onNotice: (notice: ModelNotice) => void,
  ): AsyncIterable<RawMessageStreamEvent>;
  /**
   * Lets the API summarise the messages of a request by itself, as `instructions` say; absent where it never does. The
   * messages must not end in the middle of a turn. Throws ModelError, also where the API does not know it, or not for
   * this conversation.
   */
  readonly compact?: (
    request: ModelRequest,
    instructions: string,
    signal: AbortSignal,
    onNotice: (notice: ModelNotice) => void,
  ) => Promise<Compaction>;
  /** False once the API has turned out not to know `compact`. */
  readonly canCompact?: () => boolean;
}

/** What happens to a call beside its answer: for traces. */
export type ModelNotice = RetryNotice | ({ readonly kind: "breaker" } & GateChange);

/** The API is asked again before it had begun to answer. */
export interface RetryNotice {
  readonly kind: "retry";
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
  | "connection_lost"
  | "broken_stream"
  /** The answer. */
  | "too_long"
  /** The request: refused before it was worked on. */
  | "prompt_too_long"
  | "stalled"
  | "circuit_open"
  /** What answers is no Messages API. */
  | "wrong_address";

const RETRYABLE: ReadonlySet<ModelErrorCode> = new Set(["overloaded", "connection_lost", "broken_stream", "stalled"]);
/** Those after which the API may have worked on the call, so that it may have to be paid for. */
const MAY_HAVE_BEGUN: ReadonlySet<ModelErrorCode> = new Set([
  "connection_lost",
  "broken_stream",
  "stalled",
  "too_long",
]);

/** A model call that failed; the message is for the person who asked, and says what to do. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: ModelErrorCode;
  /**
   * Whether the same call may succeed when it is made again; false as well where the backend has tried often enough.
   */
  readonly retryable: boolean;
  /** How many times too long a request was that did not fit, where that is known. */
  readonly timesTooLong: number | undefined;
  /** The backend is there, and has said when to come again. */
  readonly isBusy: boolean;

  /** Whether the API may have worked on the call, although nothing of an answer came. */
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
