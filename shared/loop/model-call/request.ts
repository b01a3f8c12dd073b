// The frame of a turn's requests: all but the conversation. It is the same for model calls, compactions and estimates.
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

/** The same object for all calls of a turn, so that it is made and measured once. */
export function frameOf(turn: Turn): Frame {
  const known = frames.get(turn.log);
  if (known) return known;
  const offered = { system: turn.system, tools: offeredTools(turn) };
  const frame = turn.output ? { ...offered, outputSchema: turn.output.jsonSchema } : offered;
  frames.set(turn.log, frame);
  return frame;
}

/** By the turn's log: copies of a turn have the same. */
const frames = new WeakMap<Turn["log"], Frame>();

function offeredTools({ tools, serverTools, permissions }: Turn): ToolUnion[] {
  const schemas = offered(permissions, tools).map(({ name, description, inputSchema }) => ({
    name,
    description,
    input_schema: { ...inputSchema, type: "object" as const },
  }));
  return [...schemas, ...serverTools.filter((tool) => !("name" in tool) || offeredUnasked(permissions, tool.name))];
}

/** Share of the prompt limit that an agent with tools needs for calls and results beside a message. */
const WORK = 0.1;

/**
 * Why a message does not fit the model's context, for its sender; undefined where it fits. Such a message is refused before it costs
 * anything: the API would refuse it and every later message of the thread, or each tool call would push out the one before.
 * Throws the signal's reason.
 */
export async function tooLong(turn: Turn, text: string, signal: AbortSignal): Promise<string | undefined> {
  const { model } = turn;
  const frame = frameOf(turn);
  const estimate = tokensOfFrame(frame) + tokensOfText(text);
  if (estimate < promptLimit(model) * LOOK_CLOSER) return undefined;
  const request = { ...frame, messages: [{ role: "user" as const, content: [{ type: "text" as const, text }] }] };
  const log = [{ kind: "user" as const, text }];
  const tokens = await countTokens(model, request, { log, estimate }, signal);
  // The count is of the whole request. The message has the same share of it as of the estimate.
  return refusalOf(turn, text, frame, tokens / estimate);
}

/** The same, where `density` is known: real tokens for each token by length. */
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
