// Makes a Message of a decision: ids, token counts, and the limits of the request.
import type { ContentBlock as Block, Message, StopReason, Usage } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Decision } from "./decide.ts";
import type { CountRequest, MessagesRequest } from "./api/request.ts";

export const MODEL = "offline";
const CHARS_PER_TOKEN = 4;

/** Estimate: characters of system prompt, tools and messages, divided by four. */
export function countTokens({ system, tools, messages }: CountRequest): number {
  return tokensOf(JSON.stringify([system, messages]), tools);
}

function tokensOf(conversation: string, tools: CountRequest["tools"]): number {
  // As a third item of the list, after a comma.
  const toolChars = 1 + JSON.stringify(tools ?? null).length;
  return Math.ceil((conversation.length + toolChars) / CHARS_PER_TOKEN);
}

/** Deterministic: the same request and decision give the same message and ids. */
export function reply(request: MessagesRequest, decision: Decision): Message {
  const conversation = JSON.stringify([request.system, request.messages]);
  const seed = fingerprint(conversation);
  const { content, stopReason, stopSequence } = limit(request, blocks(decision, seed));
  return {
    id: `msg_offline_${seed}`,
    type: "message",
    role: "assistant",
    model: MODEL,
    content,
    stop_reason: stopReason,
    stop_sequence: stopSequence,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage: usage(
      tokensOf(conversation, request.tools),
      Math.max(1, Math.ceil(JSON.stringify(content).length / CHARS_PER_TOKEN)),
    ),
  };
}

function blocks(decision: Decision, seed: string): Block[] {
  if ("text" in decision) return [{ type: "text", text: decision.text, citations: null }];
  return decision.calls.map(({ name, input }, index) => ({
    type: "tool_use",
    id: `toolu_offline_${seed}_${index}`,
    name,
    input,
    caller: { type: "direct" },
  }));
}

function limit(
  request: MessagesRequest,
  content: Block[],
): { content: Block[]; stopReason: StopReason; stopSequence: string | null } {
  const [first] = content;
  if (first?.type !== "text") return { content, stopReason: "tool_use", stopSequence: null };
  const { text } = first;
  const stops = (request.stop_sequences ?? []).filter((stop) => stop !== "" && text.includes(stop));
  const stop = stops.toSorted((a, b) => text.indexOf(a) - text.indexOf(b))[0];
  const end = stop === undefined ? text.length : text.indexOf(stop);
  const most = request.max_tokens * CHARS_PER_TOKEN;
  if (end > most)
    return { content: [{ ...first, text: text.slice(0, most) }], stopReason: "max_tokens", stopSequence: null };
  if (stop === undefined) return { content, stopReason: "end_turn", stopSequence: null };
  return { content: [{ ...first, text: text.slice(0, end) }], stopReason: "stop_sequence", stopSequence: stop };
}

function usage(input: number, output: number): Usage {
  return {
    input_tokens: input,
    output_tokens: output,
    cache_creation: null,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    inference_geo: null,
    output_tokens_details: null,
    server_tool_use: null,
    service_tier: "standard",
    speed: null,
  };
}

/** 64 bits of FNV-1a in two halves, as hex. Stable, not secret. */
function fingerprint(text: string): string {
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ (code + index), 0x01000193);
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}
