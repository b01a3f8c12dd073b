// The next model call of a turn, within the agent's limits, the model's context and the query's account.
import { ModelError } from "../models/model.ts";
import { allowedTokens, searchesIn, callReserved, noteCut, type ReservedAnswer } from "./model-call/metered-call.ts";
import { BudgetUnreachable } from "../budget/account.ts";
import { compactIfFull, compactRefused } from "./compaction/compact.ts";
import { estimateTokens, type Frame } from "./model-call/context-size.ts";
import { frameOf } from "./model-call/request.ts";
import type { AssistantStep } from "./log/step.ts";
import { conversationOf, type Conversation } from "./log/conversation.ts";
import { ANYONE, isBound } from "./log/sendable.ts";
import type { Turn } from "./turn.ts";

/**
 * Makes the call and writes its answer into the log. `mayHaveCut`: an earlier life may have ended during this call. Throws ModelError,
 * BudgetSpent, BudgetUnreachable or the signal's reason.
 */
export async function nextAnswer(turn: Turn, signal: AbortSignal, mayHaveCut = false): Promise<AssistantStep> {
  const frame = frameOf(turn);
  // Checked first, because a compaction is a model call too.
  allowedTokens(turn, 0);
  await compactIfFull(turn, frame, signal);
  if (mayHaveCut) noteCut(turn, estimateTokens(turn.log.steps, frame), searchesIn(frame.tools));
  const { answer, reservation } = await fittingAnswer(turn, frame, signal);
  const step = reservation === undefined ? answer : { ...answer, reservation };
  turn.log.append(step);
  if (reservation !== undefined) await settleReservation(turn, reservation, answer);
  return step;
}

/** Where the backend refuses the conversation as too long, compacts it and retries, once a turn. */
async function fittingAnswer(turn: Turn, frame: Frame, signal: AbortSignal): Promise<ReservedAnswer> {
  try {
    return await ask(turn, frame, signal);
  } catch (error) {
    if (!isTooLong(error)) throw error;
    const why = await compactRefused(turn, frame, signal, error.timesTooLong);
    if (why !== undefined) throw unfit(error, why);
  }
  try {
    return await ask(turn, frame, signal);
  } catch (error) {
    throw isTooLong(error) ? unfit(error, "It was compacted, and is still too long.") : error;
  }
}

/**
 * Retries a refused request once without blocks that are bound to a backend. The key or the backend may have changed since they were
 * signed, and the API refuses them like a malformed request. A refused request costs nothing.
 */
async function ask(turn: Turn, frame: Frame, signal: AbortSignal): Promise<ReservedAnswer> {
  const { log, model } = turn;
  const conversation = conversationOf(log.steps, model);
  const ordinal = log.own().filter(({ kind }) => kind === "assistant").length + 1;
  const inputTokens = estimateTokens(log.steps, frame);
  const call = { ordinal, inputTokens, maxTokens: model.maxTokens, ...searchesIn(frame.tools), signal };
  try {
    return await callReserved(turn, { ...frame, ...conversation }, call);
  } catch (error) {
    const isRefused = error instanceof ModelError && error.code === "invalid_request";
    if (!isRefused || !holdsBound(conversation)) throw error;
    return callReserved(turn, { ...frame, ...conversationOf(log.steps, ANYONE) }, call);
  }
}

function holdsBound({ messages, compacted }: Conversation): boolean {
  const blocks = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  return compacted !== undefined || blocks.some(isBound);
}

function isTooLong(error: unknown): error is ModelError {
  return error instanceof ModelError && error.code === "prompt_too_long";
}

/** Ends with the backend's own words, which may name the true limit. */
function unfit(error: ModelError, why: string): ModelError {
  const advice =
    "Send a shorter message or begin a new session; where model.context_tokens is more than the model has, set it right";
  return new ModelError(error.code, `${why} ${advice}. ${error.message}`, { cause: error });
}

/** An answer that ends the turn is kept though the account is away: its whole reservation stays booked. */
async function settleReservation(
  { budget: { account } }: Turn,
  reservation: string,
  { content, usage }: AssistantStep,
): Promise<void> {
  try {
    await account?.settle(reservation, usage);
  } catch (error) {
    const goesOn = content.some(({ type }) => type === "tool_use");
    if (goesOn || !(error instanceof BudgetUnreachable)) throw error;
  }
}
