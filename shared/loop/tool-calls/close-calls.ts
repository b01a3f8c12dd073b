// What becomes of the calls of a turn that ends without its answer: nothing waits on, here or at other agents.
import { denyOpen, type NoAnswer } from "../log/denials.ts";
import { ledger, sinceLastAnswer, pendingQuestions, type ApprovalAnswerStep } from "../log/ledger.ts";
import type { ToolRuntime } from "../turn.ts";
import { endApproval } from "../spans/wait-spans.ts";
import type { TurnTrace } from "../spans/turn-trace.ts";
import type { Step } from "../log/step.ts";

/** Tells the agents that are being asked, or wait for answers, and gives each call that waits its result. */
export function closeCalls({ call, log, begin, append, trace }: ToolRuntime, why: NoAnswer): void {
  const own = log.slice(begin);
  for (const [toolUseId, { is }] of ledger(sinceLastAnswer(own)))
    if (is === "peer_waits" || is === "at_peer") call.peers.leave(toolUseId);
  for (const step of denyOpen(own, why)) {
    append(step);
    if (step.kind === "approval_answer") endApproval(trace, own, step);
  }
}

// Questions of other agents that these do not wait with any more: they went on, failed or ended without the answer.

interface WithdrawingTurn {
  readonly log: readonly Step[];
  readonly append: (step: Step) => void;
  readonly trace: Pick<TurnTrace, "tracer" | "task" | "agent" | "contextId">;
}

/**
 * Answers the questions of a call that are still open, but those that are asked again, and ends their spans. To be called before the
 * step is written that they are no longer known after: the call's result, or what it asks next.
 */
export function withdrawQuestions(
  { log, append, trace }: WithdrawingTurn,
  toolUseId: string,
  again: readonly string[] = [],
) {
  const since = sinceLastAnswer(log);
  for (const { call, approval } of pendingQuestions(since)) {
    if (call !== toolUseId || again.includes(approval.id)) continue;
    const none: ApprovalAnswerStep = { kind: "approval_answer", id: approval.id, decision: "void", by: "peer" };
    append(none);
    endApproval(trace, since, none);
  }
}
