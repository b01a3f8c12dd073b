// What each request of a turn holds beside its conversation: the same for a model call, a compaction and an estimate.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import {
  type Frame,
  countTokens,
  FULL,
  LOOK_CLOSER,
  promptLimit,
  tokensOfFrame,
  tokensOfText,
} from "./context-size.ts";
import { offered, offeredUnasked } from "../tools/permissions.ts";
import type { Turn } from "../turn.ts";

export function frameOf(turn: Turn): Frame {
  const frame = { system: turn.system, tools: offeredTools(turn) };
  return turn.output ? { ...frame, outputSchema: turn.output.jsonSchema } : frame;
}

function offeredTools({ tools, serverTools, permissions }: Turn): ToolUnion[] {
  const schemas = offered(permissions, tools).map(({ name, description, inputSchema }) => ({
    name,
    description,
    input_schema: { ...inputSchema, type: "object" as const },
  }));
  return [...schemas, ...serverTools.filter((tool) => !("name" in tool) || offeredUnasked(permissions, tool.name))];
}

// A message that does not fit the model's context, with room for the work on it, is refused before it costs anything: the API would refuse
// it, and with it every later message of its thread; or each call of a tool would push the one before out of the conversation, for ever.

/** Of the context's room, how much an agent with tools needs for their calls and results beside a message. */
const WORK = 0.1;

/** Why `text` cannot be answered, in words for who sent it; undefined where it can. Throws the signal's reason. */
export async function tooLong(turn: Turn, text: string, signal: AbortSignal): Promise<string | undefined> {
  const { model } = turn;
  const frame = frameOf(turn);
  const estimate = tokensOfFrame(frame) + tokensOfText(text);
  if (estimate < promptLimit(model) * LOOK_CLOSER) return undefined;
  const request = { ...frame, messages: [{ role: "user" as const, content: [{ type: "text" as const, text }] }] };
  const log = [{ kind: "user" as const, text }];
  const tokens = await countTokens(model, request, { log, estimate }, signal);
  // A count is of the whole request: the message has the share of it that it has of the estimate.
  return refusalOf(turn, text, frame, tokens / estimate);
}

/** The same where it is known how many tokens one token by length is really. */
export function refusalOf({ model }: Turn, text: string, frame: Frame, density: number): string | undefined {
  const most = promptLimit(model) * (frame.tools.length > 0 ? FULL - WORK : FULL);
  const fitting = Math.max(0, most - tokensOfFrame(frame) * density);
  const tokens = tokensOfText(text) * density;
  if (tokens <= fitting) return undefined;
  return `The message does not fit the model's context: it has about ${rounded(tokens)} tokens, and about ${rounded(fitting)} fit. Send a shorter one, or its parts one by one.`;
}

function rounded(tokens: number): string {
  return Math.floor(tokens).toLocaleString("en-US");
}
