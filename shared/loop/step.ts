// The session's log: what happened in a thread, in order, append-only. The transcript towards the model is a fold over it.
import type {
  ContentBlock,
  ContentBlockParam,
  MessageParam,
  StopReason,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages/messages";
import * as z from "zod";
import { Usage } from "../tracing/usage.ts";

const Called = z.looseObject({ type: z.literal("tool_use"), id: z.string(), name: z.string() });
const Other = z.looseObject({ type: z.string().refine((type) => type !== "tool_use") });
/** A block as the API sent it: kept verbatim, since thinking blocks are bound to their conversation, so only what the loop needs is looked at. */
const Block = z.custom<ContentBlock>((value) => z.union([Called, Other]).safeParse(value).success);

const STOP_REASONS = [
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "tool_use",
  "pause_turn",
  "refusal",
  "model_context_window_exceeded",
] as const satisfies readonly StopReason[];

/** Reasons that other backends make up say no more than none does. */
export const KnownStopReason = z.nullable(z.enum(STOP_REASONS)).catch(null);

export const Step = z.discriminatedUnion("kind", [
  /** What the person, or the peer that opened this thread, said. */
  z.object({ kind: z.literal("user"), text: z.string() }),
  /** One model call, whole. */
  z.object({
    kind: z.literal("assistant"),
    content: z.array(Block),
    stopReason: z.nullable(z.enum(STOP_REASONS)),
    usage: Usage,
    model: z.string(),
    /** Raw text of tool inputs that were not JSON, by tool_use id. */
    malformedInputs: z.record(z.string(), z.string()),
  }),
  z.object({ kind: z.literal("tool_result"), toolUseId: z.string(), content: z.string(), isError: z.boolean() }),
  /** A task that a tool call opened at a peer; written before its answer is awaited. */
  z.object({
    kind: z.literal("peer_task"),
    toolUseId: z.string(),
    agent: z.string(),
    /** Ordinal of the peer's thread among those this thread opened, from 1. */
    thread: z.int(),
    contextId: z.string(),
    taskId: z.string(),
  }),
  /** Agents that find_agents returned: in a dynamic topology only these may be asked. */
  z.object({ kind: z.literal("found"), agents: z.array(z.string()) }),
]);
export type Step = Readonly<z.infer<typeof Step>>;

const CUT_OFF = "This tool call was cut off before it returned; it may or may not have taken effect.";

/** The messages of a log. Every `tool_use` gets exactly one `tool_result`; one that never settled is said to be cut off. */
export function transcript(steps: readonly Step[]): MessageParam[] {
  const messages: MessageParam[] = [];
  for (const [index, step] of steps.entries()) {
    if (step.kind === "user") say(messages, "user", [{ type: "text", text: step.text }]);
    if (step.kind !== "assistant") continue;
    // The API takes no text that is only white space, although models say such.
    const said = step.content.filter((block) => block.type !== "text" || block.text.trim() !== "");
    if (said.length === 0) continue;
    say(messages, "assistant", said);
    const results = resultsOf(steps, index);
    const answers = step.content
      .filter((block) => block.type === "tool_use")
      .map(
        (block): ToolResultBlockParam =>
          results.get(block.id) ?? { type: "tool_result", tool_use_id: block.id, content: CUT_OFF, is_error: true },
      );
    if (answers.length > 0) say(messages, "user", answers);
  }
  return messages;
}

/** The results of the assistant step at `index`: those before the next one, because not every backend's ids are unique in a thread. */
function resultsOf(steps: readonly Step[], index: number): Map<string, ToolResultBlockParam> {
  const results = new Map<string, ToolResultBlockParam>();
  for (let next = index + 1; next < steps.length; next++) {
    const step = steps[next];
    if (!step || step.kind === "assistant" || step.kind === "user") break;
    if (step.kind !== "tool_result") continue;
    results.set(step.toolUseId, {
      type: "tool_result",
      tool_use_id: step.toolUseId,
      content: step.content,
      ...(step.isError ? { is_error: true } : {}),
    });
  }
  return results;
}

/** Appends to the last message where the role is the same: the API wants roles to alternate. */
function say(messages: MessageParam[], role: "user" | "assistant", content: readonly ContentBlockParam[]): void {
  const last = messages.at(-1);
  if (last?.role === role && Array.isArray(last.content)) last.content.push(...content);
  else messages.push({ role, content: [...content] });
}
