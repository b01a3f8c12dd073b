// Closes calls that nobody will run. Each gets a result, because the API refuses a conversation with a `tool_use` that has none.
import { ledger, pendingApprovals, sinceLastAnswer, type ApprovalAnswerStep } from "./ledger.ts";
import type { Step } from "./step.ts";
import { toRecord } from "../../text/plain-json.ts";

/** A denied call, as the Claude Agent SDK reports it (SDKPermissionDenial). */
export interface Denial {
  readonly tool_name: string;
  readonly tool_use_id: string;
  readonly tool_input: Record<string, unknown>;
}

/** Why nobody will answer. */
export interface NoAnswer {
  readonly by: "message" | "cancel" | "failure";
  readonly reason: string;
}

/**
 * The steps that close a turn's open calls: a denial for each question, and a result for each call that waits. Calls that have begun
 * get none: the model learns that they were cut off.
 */
export function denyOpen(own: readonly Step[], { by, reason }: NoAnswer): Step[] {
  // A call that waits for a peer has begun, and gets no result.
  const steps: Step[] = pendingApprovals(own).map(({ id }) => noTo(id, by, reason));
  for (const [toolUseId, state] of ledger(sinceLastAnswer(own))) {
    if (state.is !== "asked" && state.is !== "peer_waits" && state.is !== "answered") continue;
    const isAllowed = state.is === "answered" && state.answer.decision === "allow";
    const why = isAllowed ? "the turn ended before it began" : "it waited for an approval that did not come";
    const content = `This was not run: ${why}. ${reason}`;
    steps.push({ kind: "tool_result", toolUseId, content, isError: true, ...(isAllowed ? {} : { denied: true }) });
  }
  return steps;
}

function noTo(id: string, by: NoAnswer["by"], reason: string): ApprovalAnswerStep {
  return { kind: "approval_answer", id, decision: "deny", by, reason };
}

export function denialsIn(own: readonly Step[]): Denial[] {
  const denied = new Set(own.flatMap((step) => (step.kind === "tool_result" && step.denied ? step.toolUseId : [])));
  return own
    .flatMap((step) => (step.kind === "assistant" ? step.content : []))
    .flatMap((block) => {
      if (block.type !== "tool_use" || !denied.has(block.id)) return [];
      return { tool_name: block.name, tool_use_id: block.id, tool_input: toRecord(block.input) };
    });
}
