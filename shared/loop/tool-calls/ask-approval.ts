// Asks for the approval of a call: first the hooks, then the job's policy, then a person, for whom it waits.
import type { Approval } from "../log/approval.ts";
import { policyAnswer } from "../tools/policy.ts";
import { ApprovalSpan } from "../spans/wait-spans.ts";
import type { CallRun } from "./call.ts";
import type { Tool } from "../tools/tool.ts";

type ApprovalOutcome =
  | { readonly waits: readonly Approval[] }
  | { readonly behavior: "allow"; readonly input: Record<string, unknown> }
  /** `stop`: why the turn ends, too. */
  | { readonly behavior: "deny"; readonly reason: string; readonly stop?: string };

export async function askApproval(
  { block, turn, signal }: CallRun,
  tool: Tool,
  asked: Record<string, unknown>,
  reason: string,
): Promise<ApprovalOutcome> {
  const about = { tool_name: tool.name, tool_input: asked } as const;
  const hook = await turn.hook({ hook_event_name: "PermissionRequest", ...about }, signal, block.id);
  if (hook.stop !== undefined) return { behavior: "deny", reason: hook.stop, stop: hook.stop };
  const said = hook.permissionRequest;
  if (said?.behavior === "deny") {
    const denial = said.message ?? `A hook denied this call of ${tool.name}.`;
    return { behavior: "deny", reason: denial, ...(said.interrupt ? { stop: denial } : {}) };
  }
  if (said?.behavior === "allow") return { behavior: "allow", input: said.updatedInput ?? asked };
  const now = Date.now();
  const approval: Approval = {
    id: turn.approvals.idOf({ toolUseId: block.id, tool: tool.name, input: asked }),
    agent: turn.call.agent,
    tool: tool.name,
    input: asked,
    reason,
    expiresAt: now + turn.approvals.expiresMs,
  };
  const span = new ApprovalSpan(turn.trace, approval, { startTime: now });
  turn.log.append({ kind: "approval", toolUseId: block.id, approval, askedAt: now, spanId: span.spanId });
  const policy = policyAnswer(turn.approvals.policy, tool.name, asked);
  if (policy !== undefined) {
    turn.log.append({ kind: "approval_answer", id: approval.id, decision: policy, by: "policy" });
    span.end(policy, "policy");
    return policy === "allow"
      ? { behavior: "allow", input: asked }
      : { behavior: "deny", reason: policyDenial(tool.name) };
  }
  await turn.hook(askingNotice(approval), signal);
  return { waits: [approval] };
}

/** The input of Notification hooks when a person is asked. */
export function askingNotice({ agent, tool }: Approval) {
  return {
    hook_event_name: "Notification",
    message: `${agent} asks whether it may use ${tool}.`,
    notification_type: "permission_prompt",
  } as const;
}

/** Tells the model that the job's policy denied a call. */
export function policyDenial(tool: string): string {
  return `The job's approval policy denies this call of ${tool}.`;
}
