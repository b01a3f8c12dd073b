// What the last answer of a turn still needs before the model is called again.
import { ledger, sinceLastAnswer } from "./ledger.ts";
import type { AssistantStep, Step } from "./step.ts";

/** The last answer, where its calls or its end are not finished: an earlier life ended, or approvals were waited for. */
export function unfinished(own: readonly Step[]): AssistantStep | undefined {
  const answer = own.findLast((step) => step.kind === "assistant");
  if (!answer) return undefined;
  const since = sinceLastAnswer(own);
  // Blocks count more than the stop reason: some backends give an answer with calls another one.
  if (!hasCalls(answer))
    return answer.stopReason === "pause_turn" || since.some(({ kind }) => kind === "note") ? undefined : answer;
  // A life may have ended between the last result and the PostToolBatch hooks.
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
