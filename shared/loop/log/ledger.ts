// The states of an assistant message's tool calls, by the steps that followed it. The log is the ledger: a call with a result is
// settled, a call that has only begun is pending.
import type { Approval } from "./approval.ts";
import { addUsage, NO_USAGE, type Usage } from "../../budget/usage.ts";
import type { Step, AssistantStep } from "./step.ts";

export type ApprovalAnswerStep = Extract<Step, { kind: "approval_answer" }>;

export type CodeQuestion = Extract<Step, { kind: "question" }>;

export type CallState =
  /** Not begun. */
  | { readonly is: "new" }
  /** Waits for the answer to its own approval. */
  | { readonly is: "asked"; readonly approval: Approval }
  /** Its approval was answered, and it has not begun. */
  | { readonly is: "answered"; readonly approval: Approval; readonly answer: ApprovalAnswerStep }
  /** A tool that may not run twice has begun. */
  | { readonly is: "started" }
  /** It has asked a peer, which works on the question. */
  | { readonly is: "at_peer" }
  /** The peer that it asked waits for approvals. */
  | { readonly is: "peer_waits"; readonly approvals: readonly Approval[] }
  | { readonly is: "settled" };

/** The state of each call, by `tool_use` id. `since`: the steps after the assistant message. */
export function ledger(since: readonly Step[]): Map<string, CallState> {
  const states = new Map<string, CallState>();
  const begun = new Set<string>();
  const set = (id: string, state: CallState) => {
    // A call with a result stays settled, whatever step follows.
    if (states.get(id)?.is !== "settled") states.set(id, state);
  };
  for (const step of since) {
    switch (step.kind) {
      case "approval":
        set(step.toolUseId, { is: "asked", approval: step.approval });
        break;
      case "approval_answer":
        answer(states, step, begun);
        break;
      case "tool_start":
        begun.add(step.toolUseId);
        set(step.toolUseId, { is: "started" });
        break;
      case "peer_call":
        set(step.toolUseId, { is: begun.has(step.toolUseId) ? "started" : "at_peer" });
        break;
      case "peer_input":
        set(step.toolUseId, { is: "peer_waits", approvals: step.approvals });
        break;
      case "tool_result":
        set(step.toolUseId, { is: "settled" });
        break;
      case "user":
      case "said":
      case "question":
      case "question_answer":
      case "artifact":
      case "assistant":
      case "peer_task":
      case "found":
      case "note":
      case "blocked":
      case "stopped":
      case "session_end":
      case "model_cut":
      case "compaction":
      case "compaction_failed":
        break;
    }
  }
  return states;
}

/** `begun`: calls of tools that may not run twice. An older version let them ask peers. */
function answer(states: Map<string, CallState>, step: ApprovalAnswerStep, begun: ReadonlySet<string>): void {
  for (const [id, state] of states) {
    if (state.is === "asked" && state.approval.id === step.id)
      states.set(id, { is: "answered", approval: state.approval, answer: step });
    if (state.is === "peer_waits" && state.approvals.some((approval) => approval.id === step.id))
      states.set(id, { is: begun.has(id) ? "started" : "at_peer" });
  }
}

/** The approvals that a task waits for, its peers' included. `own`: the task's steps. */
export function pendingApprovals(steps: readonly Step[]): Approval[] {
  return pendingQuestions(steps).map(({ approval }) => approval);
}

/** The same, each with the call that waits for it. */
export function pendingQuestions(steps: readonly Step[]): { readonly call: string; readonly approval: Approval }[] {
  const pending = new Map<string, { readonly call: string; readonly approval: Approval }>();
  const drop = (call: string) => {
    for (const [id, question] of pending) if (question.call === call) pending.delete(id);
  };
  for (const step of steps) {
    if (step.kind === "approval") pending.set(step.approval.id, { call: step.toolUseId, approval: step.approval });
    if (step.kind === "approval_answer") pending.delete(step.id);
    if (step.kind === "tool_result" || step.kind === "peer_call") drop(step.toolUseId);
    if (step.kind !== "peer_input") continue;
    drop(step.toolUseId);
    for (const approval of step.approvals) pending.set(approval.id, { call: step.toolUseId, approval });
  }
  return [...pending.values()];
}

/** The question of the agent's code that the task waits for. */
export function pendingQuestion(own: readonly Step[]): CodeQuestion | undefined {
  const last = own.findLast(({ kind }) => kind === "question" || kind === "question_answer");
  return last?.kind === "question" ? last : undefined;
}

/** Whether an approval of the task was answered or has expired. Answers of the job's policy do not count: nobody outside sees them. */
export function hasAnswers(steps: readonly Step[]): boolean {
  return steps.some((step) => step.kind === "approval_answer" && step.by !== "policy");
}

export interface AskedQuestion {
  readonly approval: Approval;
  readonly askedAt: number;
  readonly spanId: string;
}

/** The question with this id as it was first asked: a call's own, or one that a peer passed on. */
export function questionOf(steps: readonly Step[], id: string): AskedQuestion | undefined {
  for (const step of steps) {
    if (step.kind === "approval" && step.approval.id === id) return step;
    if (step.kind !== "peer_input") continue;
    const index = step.approvals.findIndex((other) => other.id === id);
    const [approval, spanId] = [step.approvals[index], step.spanIds[index]];
    if (approval && spanId !== undefined) return { approval, askedAt: step.askedAt, spanId };
  }
  return undefined;
}

/** Used by a task's own model calls and by the agents that it asked. */
export function usageOf(steps: readonly Step[]): Usage {
  let usage = NO_USAGE;
  for (const step of steps) if ("usage" in step && step.usage) usage = addUsage(usage, step.usage);
  return usage;
}

/** The steps after the last assistant message. */
export function sinceLastAnswer(steps: readonly Step[]): readonly Step[] {
  return steps.slice(steps.findLastIndex(({ kind }) => kind === "assistant") + 1);
}

/** Steps that are progress of a turn. Hooks' words are not: each life may hear them again. */
const PROGRESS: ReadonlySet<Step["kind"]> = new Set([
  "user",
  "assistant",
  "tool_start",
  "tool_result",
  "approval",
  "approval_answer",
  "question",
  "question_answer",
  "peer_call",
  "peer_task",
  "peer_input",
  "compaction",
  "compaction_failed",
]);

/** How far a task has come, in steps of progress. */
export function progressOf(own: readonly Step[]): number {
  return own.filter(({ kind }) => PROGRESS.has(kind)).length;
}

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
