// A message that does not fit the model's context even alone is refused before it costs anything: the API would refuse it, and with it
// every later message of its thread.
import { countTokens, FULL, LOOK_CLOSER, roomOf, tokensOfFrame, tokensOfText } from "./context.ts";
import { frameOf } from "./frame.ts";
import type { Turn } from "./turn.ts";

/** Why `text` cannot be answered, in words for who sent it; undefined where it can. Throws the signal's reason. */
export async function tooLong(turn: Turn, text: string, signal: AbortSignal): Promise<string | undefined> {
  const { model } = turn;
  const room = roomOf(model);
  const frame = frameOf(turn);
  const estimate = tokensOfFrame(frame) + tokensOfText(text);
  if (estimate < room * LOOK_CLOSER) return undefined;
  const request = { ...frame, messages: [{ role: "user" as const, content: [{ type: "text" as const, text }] }] };
  const log = [{ kind: "user" as const, text }];
  const tokens = await countTokens(model, request, { log, estimate }, signal);
  if (tokens <= room * FULL) return undefined;
  // A count is of the whole request: the message has the share of it that it has of the estimate.
  const share = tokens / estimate;
  const fitting = Math.max(0, room * FULL - tokensOfFrame(frame) * share);
  return `The message does not fit the model's context: it has about ${rounded(tokensOfText(text) * share)} tokens, and about ${rounded(fitting)} fit. Send a shorter one, or its parts one by one.`;
}

function rounded(tokens: number): string {
  return Math.floor(tokens).toLocaleString("en-US");
}
