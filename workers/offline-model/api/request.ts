// The part of a Messages API request that the rules read, checked as the API checks it. Unknown fields pass.
import * as z from "zod";

const TextBlock = z.looseObject({ type: z.literal("text"), text: z.string() });
const ToolUseBlock = z.looseObject({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
});
const ToolResultBlock = z.looseObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.optional(
    z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.optional(z.string()) }))]),
  ),
  is_error: z.optional(z.boolean()),
});
/** Images, documents, thinking and later types: accepted, not read. */
const OtherBlock = z.looseObject({
  type: z
    .string()
    .refine((type) => !["text", "tool_use", "tool_result"].includes(type), "Input should be a known block"),
});
const ContentBlock = z.union([TextBlock, ToolUseBlock, ToolResultBlock, OtherBlock]);

const InputMessage = z.looseObject({
  role: z.enum(["user", "assistant"]),
  content: z.union([z.string(), z.array(ContentBlock)]),
});

const ToolDefinition = z.looseObject({
  name: z.string().min(1),
  description: z.optional(z.string()),
  /** Absent for tools that the API itself runs; the rules never call those. */
  input_schema: z.optional(z.record(z.string(), z.unknown())),
});

export const CountRequest = z.looseObject({
  model: z.string().min(1),
  messages: z.array(InputMessage).min(1, "at least one message is required"),
  system: z.optional(z.union([z.string(), z.array(TextBlock)])),
  tools: z.optional(z.array(ToolDefinition)),
});

export const MessagesRequest = CountRequest.extend({
  max_tokens: z.int().positive(),
  stream: z.optional(z.boolean()),
  stop_sequences: z.optional(z.array(z.string())),
  output_config: z.optional(
    z.looseObject({
      format: z.nullish(z.looseObject({ type: z.literal("json_schema"), schema: z.record(z.string(), z.unknown()) })),
    }),
  ),
  tool_choice: z.optional(
    z.looseObject({ type: z.enum(["auto", "any", "tool", "none"]), name: z.optional(z.string()) }),
  ),
});

export type CountRequest = z.infer<typeof CountRequest>;
export type MessagesRequest = z.infer<typeof MessagesRequest>;
export type InputMessage = z.infer<typeof InputMessage>;
export type ToolDefinition = z.infer<typeof ToolDefinition>;
export type ContentBlock = z.infer<typeof ContentBlock>;

export const isText = (block: ContentBlock): block is z.infer<typeof TextBlock> => block.type === "text";
export const isToolUse = (block: ContentBlock): block is z.infer<typeof ToolUseBlock> => block.type === "tool_use";
export const isToolResult = (block: ContentBlock): block is z.infer<typeof ToolResultBlock> =>
  block.type === "tool_result";

export function blocksOf(message: InputMessage): ContentBlock[] {
  return typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content;
}

/** The API's error about misplaced tool blocks; null for none. */
export function misplacedBlocks(messages: readonly InputMessage[]): string | null {
  if (messages[0]?.role !== "user") return 'messages: first message must use the "user" role';
  for (const [index, message] of messages.entries()) {
    const previous = index === 0 ? [] : blocksOf(messages[index - 1] ?? message);
    const asked = new Set(previous.filter(isToolUse).map(({ id }) => id));
    const answered = new Set(
      blocksOf(message)
        .filter(isToolResult)
        .map((block) => block.tool_use_id),
    );
    const unasked = [...answered].find((id) => !asked.has(id));
    if (unasked !== undefined) {
      return `messages.${index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${unasked}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
    }
    const open = [...asked].filter((id) => !answered.has(id));
    if (open.length > 0) {
      return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
    }
  }
  return null;
}
