// Closes the calls of a turn that ends without an answer, so that nothing waits on, here or at other agents.
import { denyOpen, type NoAnswer } from "../log/denials.ts";
import { ledger, sinceLastAnswer, pendingQuestions, type ApprovalAnswerStep } from "../log/ledger.ts";
import { endApproval } from "../spans/wait-spans.ts";
import type { TurnTrace } from "../spans/turn-trace.ts";
import type { TurnLog } from "../log/turn-log.ts";

/** Where the spans of a turn's approvals end; undefined where the task leaves no trace. */
type ApprovalTrace = Pick<TurnTrace, "tracer" | "task" | "agent" | "contextId"> | undefined;

/**
 * Denies what waits for an approval, and gives each call that waits its result. `leave` cancels the task of each call at the agent
 * that the call asked; it is called before anything is written.
 */
export function closeCalls(
  log: TurnLog,
  trace: ApprovalTrace,
  why: NoAnswer,
  leave: (toolUseId: string) => void,
): void {
  const own = log.own();
  for (const [toolUseId, { is }] of ledger(sinceLastAnswer(own)))
    if (is === "peer_waits" || is === "at_peer") leave(toolUseId);
  for (const step of denyOpen(own, why)) {
    log.append(step);
    if (step.kind === "approval_answer" && trace) endApproval(trace, own, step);
  }
}

/**
 * Answers the open questions of a call, but those of `again`, and ends their spans: the agent that was asked no longer waits for
 * them. Call it before the call's result, or what the agent asks next, is written.
 */
export function withdrawQuestions(
  log: TurnLog,
  trace: NonNullable<ApprovalTrace>,
  toolUseId: string,
  again: readonly string[] = [],
): void {
  const since = sinceLastAnswer(log.steps);
  for (const { call, approval } of pendingQuestions(since)) {
    if (call !== toolUseId || again.includes(approval.id)) continue;
    const none: ApprovalAnswerStep = { kind: "approval_answer", id: approval.id, decision: "void", by: "peer" };
    log.append(none);
    endApproval(trace, since, none);
  }
}
