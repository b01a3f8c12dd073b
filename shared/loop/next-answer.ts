// One model call of a turn, with all that surrounds it: the agent's own limits, room in the context, and the query's account.
import { allowedTokens, searchesIn } from "./allowed-tokens.ts";
import { BudgetUnreachable } from "./budget.ts";
import { compactIfFull } from "./compact.ts";
import { estimateTokens } from "./context.ts";
import { frameOf } from "./frame.ts";
import type { AssistantStep } from "./model-call.ts";
import { callReserved, noteCut } from "./reserved-call.ts";
import { conversationOf } from "./conversation.ts";
import type { Turn } from "./turn.ts";

/**
 * Makes the call and writes its answer into the log. `mayHaveCut`: an earlier life ended where this call was to be made, or was under
 * way. Throws ModelError, BudgetSpent, BudgetUnreachable or the signal's reason.
 */
export async function nextAnswer(turn: Turn, signal: AbortSignal, mayHaveCut = false): Promise<AssistantStep> {
  const frame = frameOf(turn);
  // First, because a compaction is a model call too.
  allowedTokens(turn, 0);
  await compactIfFull(turn, frame, signal);
  const request = { ...frame, ...conversationOf(turn.log, turn.model) };
  const calls = turn.log.slice(turn.begin).filter(({ kind }) => kind === "assistant").length + 1;
  const inputTokens = estimateTokens(turn.log, frame);
  const searches = searchesIn(frame.tools);
  if (mayHaveCut) noteCut(turn, inputTokens, searches);
  const call = { ordinal: calls, inputTokens, maxTokens: turn.model.maxTokens, ...searches, signal };
  const { answer, reservation } = await callReserved(turn, request, call);
  const step = reservation === undefined ? answer : { ...answer, reservation };
  turn.append(step);
  if (reservation !== undefined) await settle(turn, reservation, answer);
  return step;
}

/** An answer that ends the turn is not lost because the account is: what was set aside for it stays booked then. */
async function settle({ account }: Turn, reservation: string, { content, usage }: AssistantStep): Promise<void> {
  try {
    await account?.settle(reservation, usage);
  } catch (error) {
    const goesOn = content.some(({ type }) => type === "tool_use");
    if (goesOn || !(error instanceof BudgetUnreachable)) throw error;
  }
}
