// What a log says of one question to another agent: enough for the next life to resume it.
import { sinceLastAnswer, type ApprovalAnswerStep } from "./ledger.ts";
import type { Step } from "./step.ts";

export type PeerCallStep = Extract<Step, { kind: "peer_call" }>;

export interface PeerCall {
  readonly call: PeerCallStep | undefined;
  /** The task that the peer opened. */
  readonly task: Extract<Step, { kind: "peer_task" }> | undefined;
  /** The last question that the peer asked back. */
  readonly input: Extract<Step, { kind: "peer_input" }> | undefined;
  /** How often it has asked back. */
  readonly rounds: number;
  /** The answers to that question. */
  readonly answers: readonly ApprovalAnswerStep[];
  /** The tool call has asked something else since, so this question was answered. */
  readonly isPast: boolean;
}

/** `ordinal`: the question's place among those of its tool call; the last one when left out. */
export function peerCall(log: readonly Step[], toolUseId: string, ordinal = lastOrdinal(log, toolUseId)): PeerCall {
  let [call, task, input]: [PeerCall["call"], PeerCall["task"], PeerCall["input"]] = [undefined, undefined, undefined];
  let rounds = 0;
  let answers: ApprovalAnswerStep[] = [];
  let isPast = false;
  // Not every backend's ids are unique in a thread.
  for (const step of sinceLastAnswer(log)) {
    if (step.kind === "approval_answer" && step.by !== "peer" && input?.approvals.some(({ id }) => id === step.id))
      answers.push(step);
    if (step.kind !== "peer_call" && step.kind !== "peer_task" && step.kind !== "peer_input") continue;
    if (step.toolUseId !== toolUseId) continue;
    const at = step.ordinal ?? 1;
    if (step.kind === "peer_call" && at > ordinal) isPast = true;
    if (at !== ordinal) continue;
    if (step.kind === "peer_call") call = step;
    if (step.kind === "peer_task") task = step;
    if (step.kind !== "peer_input") continue;
    [input, rounds, answers] = [step, rounds + 1, []];
  }
  return { call, task, input, rounds, answers, isPast };
}

function lastOrdinal(log: readonly Step[], toolUseId: string): number {
  return sinceLastAnswer(log).reduce(
    (last, step) =>
      step.kind === "peer_call" && step.toolUseId === toolUseId ? Math.max(last, step.ordinal ?? 1) : last,
    1,
  );
}
