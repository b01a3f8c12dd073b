// An answer to approvals that comes again, perhaps over a connection that broke: it has to say what it said before.
import type { ApprovalAnswer } from "../../../loop/log/approval.ts";
import { hasAnswers, pendingApprovals, type Answer } from "../../../loop/log/ledger.ts";
import type { Step } from "../../../loop/log/step.ts";
import { parseAnswers, type AnswerPart } from "./answers.ts";

/** Whether the task's log has answers of this message, and whether they are what it says now. */
export function repetition(
  own: readonly Step[],
  messageId: string,
  parts: readonly AnswerPart[],
): "new" | "same" | "other" {
  const isOfMessage = (step: Step): step is Answer => step.kind === "approval_answer" && step.messageId === messageId;
  const first = own.findIndex(isOfMessage);
  if (first === -1) return "new";
  // What a bare "yes" is for depends on what waited when it came.
  const before = own.slice(0, first);
  const parsed = parseAnswers(parts, { approvals: pendingApprovals(before), hasAnswers: hasAnswers(before) });
  return "answers" in parsed && said(parsed.answers) === said(own.filter(isOfMessage)) ? "same" : "other";
}

function said(answers: readonly (Answer | ApprovalAnswer)[]): string {
  return answers
    .map(({ id, decision, reason }) => JSON.stringify([id, decision, reason]))
    .toSorted((a, b) => a.localeCompare(b))
    .join();
}
