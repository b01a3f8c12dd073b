// Converts Messages API messages to the GenAI conventions: roles with typed parts, as JSON text.
// https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-input-messages.json
import type { ContentBlock, ContentBlockParam, MessageParam } from "@anthropic-ai/sdk/resources/messages/messages";
import { MAX_CONTENT } from "./content.ts";

type Part = Readonly<Record<string, unknown>> & { readonly type: string };

/**
 * The latest messages that fit the limit, after a note with the number of omitted ones. The model answers to the end.
 */
export function inputMessages(messages: readonly MessageParam[]): string {
  const kept: string[] = [];
  let length = 0;
  for (const { role, content } of messages.toReversed()) {
    const blocks = typeof content === "string" ? [{ type: "text" as const, text: content }] : content;
    const text = JSON.stringify({ role, parts: blocks.map(toPart) });
    length += text.length + 1;
    if (length > MAX_CONTENT - 200 && kept.length > 0) break;
    kept.unshift(text);
  }
  const left = messages.length - kept.length;
  const cut = `[cut: the first ${left} of ${messages.length} messages left out]`;
  if (left > 0) kept.unshift(JSON.stringify({ role: "system", parts: [{ type: "text", content: cut }] }));
  return `[${kept.join(",")}]`;
}

export function outputMessages(content: readonly ContentBlock[], finishReason: string | null): string {
  return JSON.stringify([{ role: "assistant", parts: content.map(toPart), finish_reason: finishReason ?? "unknown" }]);
}

export function systemInstructions(text: string): string {
  return JSON.stringify([{ type: "text", content: text }]);
}

function toPart(block: ContentBlock | ContentBlockParam): Part {
  switch (block.type) {
    case "text":
      return { type: "text", content: block.text };
    case "thinking":
      return { type: "reasoning", content: block.thinking };
    case "tool_use":
      return { type: "tool_call", id: block.id, name: block.name, arguments: block.input };
    case "tool_result":
      return { type: "tool_call_response", id: block.tool_use_id, response: block.content ?? "" };
    default:
      // Types without a convention, such as server_tool_use, stay as the API has them.
      return { ...block };
  }
}
