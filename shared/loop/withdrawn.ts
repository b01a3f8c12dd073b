// Questions of other agents that these do not wait with any more: they went on, failed or ended without the answer.
import { pendingQuestions, sinceLastAnswer, type Answer } from "./ledger.ts";
import type { TurnTrace } from "./turn-trace.ts";
import type { Step } from "./step.ts";
import { endApproval } from "./wait-spans.ts";

interface AskingTurn {
  readonly log: readonly Step[];
  readonly append: (step: Step) => void;
  readonly trace: Pick<TurnTrace, "tracer" | "task" | "agent" | "contextId">;
}

/**
 * Answers the questions of a call that are still open, but those that are asked again, and ends their spans. To be called before the
 * step is written that they are no longer known after: the call's result, or what it asks next.
 */
export function withdrawQuestions(
  { log, append, trace }: AskingTurn,
  toolUseId: string,
  again: readonly string[] = [],
) {
  const since = sinceLastAnswer(log);
  for (const { call, approval } of pendingQuestions(since)) {
    if (call !== toolUseId || again.includes(approval.id)) continue;
    const none: Answer = { kind: "approval_answer", id: approval.id, decision: "void", by: "peer" };
    append(none);
    endApproval(trace, since, none);
  }
}
