// What a turn's log leaves to be done with its last answer, before the model is called again.
import { ledger, sinceLastAnswer } from "./ledger.ts";
import type { AssistantStep, Step } from "./step.ts";

/** The answer that an earlier life, or a round of approvals, left to be finished. */
export function unfinished(own: readonly Step[]): AssistantStep | undefined {
  const answer = own.findLast((step) => step.kind === "assistant");
  if (!answer) return undefined;
  const since = sinceLastAnswer(own);
  // The blocks first: an answer with calls may say that it pauses, or anything else.
  if (!hasCalls(answer))
    return answer.stopReason === "pause_turn" || since.some(({ kind }) => kind === "note") ? undefined : answer;
  // A life that ended after the last result had not yet told the hooks of the batch, as far as the log knows.
  const isTold = since.some((step) => step.kind === "note" && step.about === "batch");
  return hasOpenCalls(own) || !isTold ? answer : undefined;
}

export function hasCalls({ content }: AssistantStep): boolean {
  return content.some((block) => block.type === "tool_use");
}

/** Whether a call of the last answer has no result. */
export function hasOpenCalls(own: readonly Step[]): boolean {
  const answer = own.findLast((step) => step.kind === "assistant");
  const states = ledger(sinceLastAnswer(own));
  return answer?.content.some((block) => block.type === "tool_use" && states.get(block.id)?.is !== "settled") ?? false;
}
