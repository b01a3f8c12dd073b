// One model call: events of the Messages API in, one whole assistant message out, text passed on as it comes.
import type {
  ContentBlock,
  RawContentBlockDelta,
  RawMessageStreamEvent,
  StopReason,
  Usage as ApiUsage,
  MessageDeltaUsage,
} from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import { ModelError, type Model, type ModelRequest } from "../models/model.ts";
import { parseJson } from "../text/parse-json.ts";
import { NO_USAGE, type Usage } from "../tracing/usage.ts";
import type { LoopEvent } from "./event.ts";
import { ChatSpan, type TurnTrace } from "./spans.ts";
import { KnownStopReason, Step } from "./step.ts";
import { untilAborted } from "./until-aborted.ts";

export type AssistantStep = Extract<Step, { kind: "assistant" }>;

const RETRY_DELAYS_MS = [250, 1000];
/** Characters of one answer: in UTF-8 it has to fit a row of 2 MB. No model's own limit is that high. */
const MAX_ANSWER = 600_000;

/**
 * Makes the call, and makes it again from its start when it broke in mid-stream (the client retries only before that).
 * Throws ModelError when it failed for good, or the signal's reason.
 */
export async function callModel(
  model: Model,
  request: ModelRequest,
  turn: number,
  signal: AbortSignal,
  emit: (event: LoopEvent) => void,
  trace: TurnTrace,
): Promise<AssistantStep> {
  for (let attempt = 1; ; attempt++) {
    emit({ type: "model_start", turn, attempt });
    const span = new ChatSpan(trace, model, request, attempt);
    try {
      const events = model.stream(request, signal, (notice) => span.retried(notice));
      const message = await collect(events, model.name, emit, span);
      span.end(message);
      emit({ type: "model_end", turn, usage: message.usage });
      return message;
    } catch (error) {
      span.fail(error, signal);
      signal.throwIfAborted();
      const delayMs = RETRY_DELAYS_MS[attempt - 1];
      if (!(error instanceof ModelError) || !error.retryable || delayMs === undefined) throw error;
      emit({ type: "model_retry", code: error.code, delayMs });
      await untilAborted(new Promise((resolve) => setTimeout(resolve, delayMs)), signal);
    }
  }
}

async function collect(
  events: AsyncIterable<RawMessageStreamEvent>,
  modelName: string,
  emit: (event: LoopEvent) => void,
  span: ChatSpan,
): Promise<AssistantStep> {
  const content: ContentBlock[] = [];
  const inputs = new Map<number, string>();
  let usage: Usage = NO_USAGE;
  let stopReason: StopReason | null = null;
  let model = modelName;
  let length = 0;
  for await (const event of events) {
    span.heard();
    switch (event.type) {
      case "message_start":
        usage = mergeUsage(usage, event.message.usage);
        span.used(usage);
        model = event.message.model;
        span.named(event.message.id);
        break;
      case "content_block_start":
        content[event.index] = { ...event.content_block };
        break;
      case "content_block_delta": {
        const block = content[event.index];
        length += lengthOf(event.delta);
        if (length > MAX_ANSWER)
          throw new ModelError(
            "too_long",
            `The model's answer has more than ${MAX_ANSWER} characters; it was given up.`,
          );
        if (!block) throw new ModelError("broken_stream", "The model sent a delta for a block that it had not begun.");
        if (event.delta.type === "input_json_delta") {
          inputs.set(event.index, (inputs.get(event.index) ?? "") + event.delta.partial_json);
        } else {
          extend(block, event.delta);
          if (event.delta.type === "text_delta") emit({ type: "text_delta", text: event.delta.text });
        }
        break;
      }
      case "content_block_stop":
        break;
      case "message_delta":
        usage = mergeUsage(usage, event.usage);
        span.used(usage);
        stopReason = KnownStopReason.parse(event.delta.stop_reason);
        break;
      case "message_stop":
        return checked({
          kind: "assistant",
          content: content.filter((block) => block.type !== "text" || block.text !== ""),
          stopReason,
          usage,
          model,
          malformedInputs: parseInputs(content, inputs),
        });
    }
  }
  throw new ModelError("broken_stream", "The model's answer ended before it was complete.");
}

/** A step that could not be read again would make its thread unusable, so it is not let into the log. */
function checked(step: AssistantStep): AssistantStep {
  const parsed = Step.safeParse(step);
  if (parsed.success) return step;
  throw new ModelError("broken_stream", `The model's answer was malformed: ${z.prettifyError(parsed.error)}`);
}

function extend(block: ContentBlock, delta: Exclude<RawContentBlockDelta, { type: "input_json_delta" }>): void {
  if (delta.type === "text_delta" && block.type === "text") block.text += delta.text;
  if (delta.type === "citations_delta" && block.type === "text")
    block.citations = [...(block.citations ?? []), delta.citation];
  if (delta.type === "thinking_delta" && block.type === "thinking") block.thinking += delta.thinking;
  if (delta.type === "signature_delta" && block.type === "thinking") block.signature = delta.signature;
}

function lengthOf(delta: RawContentBlockDelta): number {
  switch (delta.type) {
    case "text_delta":
      return delta.text.length;
    case "thinking_delta":
      return delta.thinking.length;
    case "input_json_delta":
      return delta.partial_json.length;
    default:
      return 0;
  }
}

/** Puts the parsed inputs into their blocks. Returns the raw text of those that are no JSON objects, by tool_use id. */
function parseInputs(content: ContentBlock[], inputs: ReadonlyMap<number, string>): Record<string, string> {
  const malformed: Record<string, string> = {};
  for (const [index, raw] of inputs) {
    const block = content[index];
    if (block?.type !== "tool_use" && block?.type !== "server_tool_use") continue;
    const input = raw.trim() === "" ? {} : parseJson(raw);
    if (typeof input === "object" && input !== null && !Array.isArray(input)) block.input = input;
    else malformed[block.id] = raw;
  }
  return malformed;
}

const Figure = z.number().nullish().catch(null);
const Figures = z
  .object({
    input_tokens: Figure,
    output_tokens: Figure,
    cache_read_input_tokens: Figure,
    cache_creation_input_tokens: Figure,
  })
  .partial()
  .catch({});

/** Later figures replace earlier ones: the API's are cumulative. Other backends leave some of them out, or all. */
function mergeUsage(usage: Usage, reported: ApiUsage | MessageDeltaUsage): Usage {
  const figures = Figures.parse(reported);
  return {
    inputTokens: figures.input_tokens ?? usage.inputTokens,
    outputTokens: figures.output_tokens ?? usage.outputTokens,
    cacheReadTokens: figures.cache_read_input_tokens ?? usage.cacheReadTokens,
    cacheWriteTokens: figures.cache_creation_input_tokens ?? usage.cacheWriteTokens,
  };
}
