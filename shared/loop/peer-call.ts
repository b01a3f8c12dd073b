// What a log says of one call of query_agent, so that another life can go on with it where it stood.
import { sinceLastAnswer, type Answer } from "./ledger.ts";
import type { Step } from "./step.ts";

export type PeerCallStep = Extract<Step, { kind: "peer_call" }>;

export interface PeerCall {
  readonly call: PeerCallStep | undefined;
  /** The task that the peer opened. */
  readonly task: Extract<Step, { kind: "peer_task" }> | undefined;
  /** What the peer last asked back. */
  readonly input: Extract<Step, { kind: "peer_input" }> | undefined;
  /** How often it has asked back. */
  readonly rounds: number;
  /** What was answered to that since. */
  readonly answers: readonly Answer[];
}

export function peerCall(log: readonly Step[], toolUseId: string): PeerCall {
  let [call, task, input]: [PeerCall["call"], PeerCall["task"], PeerCall["input"]] = [undefined, undefined, undefined];
  let rounds = 0;
  let answers: Answer[] = [];
  // Not every backend's ids are unique in a thread.
  for (const step of sinceLastAnswer(log)) {
    if (step.kind === "approval_answer" && input?.approvals.some(({ id }) => id === step.id)) answers.push(step);
    if (!("toolUseId" in step) || step.toolUseId !== toolUseId) continue;
    if (step.kind === "peer_call") call = step;
    if (step.kind === "peer_task") task = step;
    if (step.kind !== "peer_input") continue;
    [input, rounds, answers] = [step, rounds + 1, []];
  }
  return { call, task, input, rounds, answers };
}
