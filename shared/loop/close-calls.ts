// What becomes of the calls of a turn that ends without its answer: nothing waits on, here or at other agents.
import { denyOpen, type NoAnswer } from "./denials.ts";
import { ledger, sinceLastAnswer } from "./ledger.ts";
import type { ToolRuntime } from "./turn.ts";
import { endApproval } from "./wait-spans.ts";

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
