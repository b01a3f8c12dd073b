// Runs one tool call: hooks, permission, perhaps an approval, the tool itself, hooks again.
import type { ToolUseBlock } from "@anthropic-ai/sdk/resources/messages/messages";
import { suggest } from "../../text/nearest.ts";
import { ERROR } from "../../tracing/names.ts";
import { contextOf } from "../../tracing/tracer.ts";
import { EXPIRED } from "../log/approval.ts";
import { askApproval, policyDenial } from "./ask-approval.ts";
import { askCanUseTool } from "../tools/can-use-tool.ts";
import { cutResult, execute, failedResult } from "./execute.ts";
import type { CallState } from "../log/ledger.ts";
import { type AssistantStep, CUT_OFF, type Step } from "../log/step.ts";
import { peerCall } from "../log/peer-question.ts";
import { decidePermission } from "../tools/permissions.ts";
import { toRecord } from "../../text/plain-json.ts";
import type { Tool } from "../tools/tool.ts";
import type { CallRun, CallResult, CallOutcome } from "./call.ts";

/** Runs or resumes a call, until it has a result or waits. Rejects with the signal's reason. */
export async function runCall(run: CallRun): Promise<CallOutcome> {
  const { block, state, message, tool, turn } = run;
  if (!tool) return failedResult(unknownTool(block.name, turn.tools), ERROR.refused);
  const flaw = flawOf(block, message);
  if (flaw) return flaw;
  switch (state.is) {
    case "started":
      return failedResult(CUT_OFF, ERROR.interrupted);
    case "at_peer":
      return execute(run, tool, heldInput(run, tool));
    case "answered":
      return answered(run, tool, state);
    default:
      return permitted(run, tool);
  }
}

/** Why an incomplete or malformed call is not run. */
function flawOf(block: ToolUseBlock, message: AssistantStep): CallResult | undefined {
  switch (message.stopReason) {
    case "max_tokens":
      return failedResult(
        "Your answer reached its token limit before this call was complete, so it was not run. Make the call shorter.",
        "max_tokens",
      );
    case "model_context_window_exceeded":
      return failedResult(
        "The conversation filled your context before this call was complete, so it was not run.",
        message.stopReason,
      );
    case "refusal":
      return failedResult("Your answer ended as a refusal, so this call was not run.", ERROR.modelRefusal);
    case "end_turn":
    case "stop_sequence":
    case "tool_use":
    case "pause_turn":
    case null:
      break;
  }
  const malformed = message.malformedInputs[block.id];
  if (malformed === undefined) return undefined;
  const shown = malformed.slice(0, 200).toWellFormed();
  return failedResult(
    `The input was not a JSON object that can be kept (numbers have to be finite, no field is called __proto__), so the tool was not run: ${shown}`,
    "ToolInputError",
  );
}

/** The input of a call that has asked another agent and runs again: the input it had, where a hook or a person had changed the model's. */
function heldInput({ block, turn }: CallRun, tool: Tool): Record<string, unknown> {
  const { call } = peerCall(turn.log.steps, block.id, 1);
  const input = call?.input ?? toRecord(block.input);
  return tool.asksItsInput && call ? { ...input, agent: call.agent, message: call.message } : input;
}

/** Runs a call that has not begun, if it is permitted: hooks → deny → ask → mode → allow → canUseTool. */
async function permitted(run: CallRun, tool: Tool): Promise<CallOutcome> {
  const { block, turn, span, signal } = run;
  const about = { tool_name: tool.name, tool_use_id: block.id } as const;
  const before = await turn.hook(
    { hook_event_name: "PreToolUse", tool_input: block.input, ...about },
    signal,
    block.id,
  );
  if (before.stop !== undefined) return denied(run, tool, block.input, before.stop, before.stop);
  if (before.additionalContext) run.notes.push(before.additionalContext);
  let input: unknown = before.updatedInput ?? block.input;
  const { permissions, canUseTool } = turn;
  const decision = decidePermission({
    permissions,
    tool,
    hookDecision: before.decision,
    canUseTool: canUseTool !== undefined,
  });
  if (decision.behavior === "deny") return denied(run, tool, input, decision.reason);
  if (decision.behavior === "canUseTool" && canUseTool) {
    const said = await askCanUseTool(
      canUseTool,
      { tool: tool.name, input: toRecord(input), toolUseId: block.id },
      signal,
      (failure) => turn.report?.(failure, contextOf(span.span)),
    );
    if (said.behavior === "deny") {
      return denied(run, tool, input, said.message, said.interrupt ? said.message : undefined);
    }
    input = said.updatedInput ?? input;
  }
  if (input !== block.input) span.changed(input);
  if (decision.behavior !== "ask") return execute(run, tool, input);
  const asked = await askApproval(run, tool, toRecord(input), decision.reason);
  if ("waits" in asked) return asked;
  if (asked.behavior === "deny") return denied(run, tool, input, asked.reason, asked.stop);
  if (asked.input !== input) span.changed(asked.input);
  return execute(run, tool, asked.input);
}

/** Resumes a call whose approval was answered: it runs with exactly what was approved, or not at all. */
async function answered(
  run: CallRun,
  tool: Tool,
  { approval, answer }: Extract<CallState, { is: "answered" }>,
): Promise<CallOutcome> {
  const { block, turn, span } = run;
  const { input } = approval;
  if (answer.decision === "expired") return denied(run, tool, input, EXPIRED);
  if (answer.decision !== "allow")
    return denied(
      run,
      tool,
      input,
      answer.reason ??
        (answer.by === "policy"
          ? policyDenial(tool.name)
          : `The person who was asked said no to this call of ${tool.name}.`),
    );
  const isBound = turn.approvals.idOf({ toolUseId: block.id, tool: tool.name, input }) === approval.id;
  if (!isBound || approval.tool !== tool.name) {
    const none = { kind: "approval_answer", id: approval.id, decision: "void", by: "binding" } as const;
    const isSaid = (step: Step) => step.kind === none.kind && step.id === none.id && step.decision === none.decision;
    if (!turn.log.steps.some(isSaid)) turn.log.append(none);
    return denied(run, tool, input, "What was approved is not this call with this input, so the approval is void.");
  }
  // A rule that was deployed since then counts.
  const decision = decidePermission({ permissions: turn.permissions, tool, hookDecision: { behavior: "allow" } });
  if (decision.behavior === "deny") return denied(run, tool, input, decision.reason);
  span.changed(input);
  return execute(run, tool, input);
}

/** The result of a denied call. `stop`: why the turn is to end, too. */
async function denied(
  { block, turn, signal }: CallRun,
  tool: Tool,
  input: unknown,
  reason: string,
  stop?: string,
): Promise<CallResult> {
  const said = await turn.hook(
    { hook_event_name: "PermissionDenied", tool_name: tool.name, tool_input: input, tool_use_id: block.id, reason },
    signal,
    block.id,
  );
  const ending = stop ?? said.stop;
  const told = stop === undefined ? reason : `This call was not run, and the turn was ended: ${reason}`;
  const content = said.retry ? `${told}\n\nYou may try again in another way.` : told;
  return {
    ...failedResult(cutResult(content), ERROR.refused),
    denied: true,
    ...(ending === undefined ? {} : { stop: ending }),
  };
}

function unknownTool(name: string, tools: readonly Tool[]): string {
  return `There is no tool named ${name}. ${suggest(
    name,
    tools.map((tool) => tool.name),
  )}`;
}
