// Puts one assistant message together from the events of its stream, so that it fits the log and can be read again.
import type {
  ContentBlock,
  MessageDeltaUsage,
  RawContentBlockDelta,
  RawMessageStreamEvent,
  Usage as ApiUsage,
} from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import { ModelError } from "../../models/model.ts";
import { parseJson } from "../../text/parse-json.ts";
import { NO_USAGE, reportedFigure, type Usage } from "../../budget/usage.ts";
import { KnownStopReason, Step, type AssistantStep } from "../log/step.ts";
import { wellFormed } from "../../text/plain-json.ts";
import { claimId } from "../log/tool-use-ids.ts";

/**
 * Bytes of one answer in the log (JSON in UTF-8). A row holds 2 MB, of which its other columns need a little. That is 1.8 million plain
 * letters, half as many quotes or line breaks, a third as many Chinese characters: more than any model's own limit.
 */
export const MAX_ANSWER_BYTES = 1_800_000;
/** Characters of a malformed input that are kept: enough to see what is wrong. */
const MAX_MALFORMED = 1_000;

const utf8 = new TextEncoder();

export class Assembly {
  readonly #blocks: { readonly block: ContentBlock; json: string }[] = [];
  /** Open blocks by index. Some backends give all blocks the same index, one after another. */
  readonly #open = new Map<number, { readonly block: ContentBlock; json: string }>();
  #bytes = 0;
  #model: string;
  #stopReason: AssistantStep["stopReason"] = null;
  usage: Usage = NO_USAGE;

  /** `model`: the name for backends that send none. */
  constructor(model: string) {
    this.#model = model;
  }

  /** Throws ModelError for an answer that is too long, or an event that does not fit those before it. */
  add(event: RawMessageStreamEvent): void {
    switch (event.type) {
      case "message_start":
        this.usage = mergeUsage(this.usage, event.message.usage);
        this.#model = event.message.model;
        break;
      case "content_block_start": {
        this.#weigh(event.content_block);
        const begun = { block: whole(event.content_block), json: "" };
        this.#blocks.push(begun);
        this.#open.set(event.index, begun);
        break;
      }
      case "content_block_delta": {
        const open = this.#open.get(event.index);
        if (!open) throw new ModelError("broken_stream", "The model sent a delta for a block that it had not begun.");
        this.#weigh(payloadOf(event.delta));
        if (event.delta.type === "input_json_delta") open.json += event.delta.partial_json;
        else extend(open.block, event.delta);
        break;
      }
      case "message_delta":
        this.usage = mergeUsage(this.usage, event.usage);
        this.#stopReason = KnownStopReason.parse(event.delta.stop_reason);
        break;
      case "content_block_stop":
      case "message_stop":
        break;
    }
  }

  /** The whole message. `earlierIds`: those of tool calls before it in the thread. */
  finish(earlierIds: () => Iterable<string>): AssistantStep {
    const malformedInputs: Record<string, string> = {};
    const hasCalls = this.#blocks.some(({ block }) => block.type === "tool_use");
    const usedIds = new Set(hasCalls ? earlierIds() : []);
    for (const { block, json } of this.#blocks) {
      if (block.type === "text") block.text = block.text.toWellFormed();
      if (block.type === "tool_use") block.id = claimId(block.id, usedIds);
      if (block.type !== "tool_use" && block.type !== "server_tool_use") continue;
      // Some backends send the input whole with the block's beginning.
      const said = json === "" ? JSON.stringify(block.input ?? {}) : json;
      const input = said.trim() === "" ? {} : wellFormed(parseJson(said));
      block.input = {};
      if (typeof input === "object" && input !== null && !Array.isArray(input)) block.input = input;
      else malformedInputs[block.id] = said.slice(0, MAX_MALFORMED).toWellFormed();
    }
    return readable({
      kind: "assistant",
      content: this.#blocks.map(({ block }) => block).filter((block) => block.type !== "text" || block.text !== ""),
      stopReason: this.#stopReason,
      usage: this.usage,
      model: this.#model,
      malformedInputs,
    });
  }

  #weigh(part: unknown): void {
    this.#bytes += sizeOf(part);
    if (this.#bytes <= MAX_ANSWER_BYTES) return;
    const limit = `${MAX_ANSWER_BYTES / 1_000_000} MB`;
    throw new ModelError(
      "too_long",
      `The model's answer is longer than the ${limit} that can be kept; it was given up.`,
    );
  }
}

/** Some backends begin a block without its text or its id. */
function whole(block: ContentBlock): ContentBlock {
  const { text, id }: { text?: string | null; id?: string | null } = { text: null, id: null, ...block };
  if (block.type === "text") return { ...block, text: text ?? "" };
  return block.type === "tool_use" ? { ...block, id: id ?? "" } : { ...block };
}

/** Bytes as JSON. */
function sizeOf(part: unknown): number {
  try {
    return utf8.encode(JSON.stringify(part)).length;
  } catch (error) {
    throw new ModelError("broken_stream", "The model's answer was malformed: it is nested too deeply.", {
      cause: error,
    });
  }
}

/** The step, if it can be read again: one that cannot would make its thread unusable. Throws ModelError. */
function readable(step: AssistantStep): AssistantStep {
  if (step.content.every(isPlain)) return step;
  const parsed = Step.safeParse(step);
  if (parsed.success) return step;
  throw new ModelError("broken_stream", `The model's answer was malformed: ${z.prettifyError(parsed.error)}`);
}

/** Whether a step can hold the block: a plain look, where a schema costs more than the answer. Everything else in a step is made here. */
function isPlain(block: ContentBlock): boolean {
  const { type, id, name }: { type: unknown; id?: unknown; name?: unknown } = block;
  return type === "tool_use" ? typeof id === "string" && typeof name === "string" : typeof type === "string";
}

function extend(block: ContentBlock, delta: Exclude<RawContentBlockDelta, { type: "input_json_delta" }>): void {
  if (delta.type === "text_delta" && block.type === "text") block.text += delta.text;
  if (delta.type === "citations_delta" && block.type === "text")
    block.citations = [...(block.citations ?? []), delta.citation];
  if (delta.type === "thinking_delta" && block.type === "thinking") block.thinking += delta.thinking;
  if (delta.type === "signature_delta" && block.type === "thinking") block.signature = delta.signature;
}

/** The part of a delta that stays in the message. */
function payloadOf(delta: RawContentBlockDelta): unknown {
  switch (delta.type) {
    case "text_delta":
      return delta.text;
    case "thinking_delta":
      return delta.thinking;
    case "input_json_delta":
      return delta.partial_json;
    case "signature_delta":
      return delta.signature;
    case "citations_delta":
      return delta.citation;
  }
}

interface Figures {
  readonly input_tokens?: unknown;
  readonly output_tokens?: unknown;
  readonly cache_read_input_tokens?: unknown;
  readonly cache_creation_input_tokens?: unknown;
  readonly server_tool_use?: object | null;
}

/** Later figures replace earlier ones, because the API's are cumulative. Other backends leave some or all out. */
function mergeUsage(usage: Usage, reported: ApiUsage | MessageDeltaUsage): Usage {
  // Anything may stand there, or nothing.
  const figures: Figures = reported ?? {};
  const searched: { readonly web_search_requests?: unknown } = figures.server_tool_use ?? {};
  const webSearches = reportedFigure(searched.web_search_requests) ?? usage.webSearches;
  return {
    inputTokens: reportedFigure(figures.input_tokens) ?? usage.inputTokens,
    outputTokens: reportedFigure(figures.output_tokens) ?? usage.outputTokens,
    cacheReadTokens: reportedFigure(figures.cache_read_input_tokens) ?? usage.cacheReadTokens,
    cacheWriteTokens: reportedFigure(figures.cache_creation_input_tokens) ?? usage.cacheWriteTokens,
    ...(webSearches ? { webSearches } : {}),
  };
}
