// One tool call from the model's wish to its result: hooks, permission, perhaps an approval, the tool itself, hooks again.
import type { ToolUseBlock } from "@anthropic-ai/sdk/resources/messages/messages";
import { suggest } from "../text/nearest.ts";
import { ERROR } from "../tracing/names.ts";
import { reasonOf } from "../tracing/reason.ts";
import type { Approval } from "./approval.ts";
import { askApproval } from "./ask-approval.ts";
import { askCanUseTool } from "./can-use-tool.ts";
import type { CallState } from "./ledger.ts";
import type { AssistantStep } from "./model-call.ts";
import { peerCall } from "./peer-call.ts";
import { InputRequired } from "./peers.ts";
import { decide } from "./permissions.ts";
import { runLimited } from "./run-limited.ts";
import { nameOf, type ToolSpan } from "./spans.ts";
import { CUT_OFF } from "./step.ts";
import { stopFor, TurnStopped } from "./stopped.ts";
import type { ToolRuntime } from "./tool-calls.ts";
import type { Tool } from "./tool.ts";

/** Characters of a tool's output that reach the model. */
const MAX_TOOL_OUTPUT = 100_000;

export interface Taken {
  readonly block: ToolUseBlock;
  readonly state: CallState;
  readonly message: AssistantStep;
  readonly tool: Tool | undefined;
  readonly runtime: ToolRuntime;
  readonly span: ToolSpan;
  readonly signal: AbortSignal;
  /** What hooks say to the model beside the result; written with it. */
  readonly notes: string[];
}

export interface Result {
  readonly content: string;
  /** `error.type` of a call that failed. */
  readonly errorType?: string;
  readonly denied?: true;
  /** A hook wants the turn to end, once the result is in the log. */
  readonly stop?: string;
}

export type CallOutcome = Result | { readonly waits: readonly Approval[] };

/** Takes the call as far as it goes. Rejects with the signal's reason, or TurnStopped. */
export async function settle(taken: Taken): Promise<CallOutcome> {
  const { block, state, message, tool, runtime } = taken;
  if (!tool) return failed(unknownTool(block.name, runtime.tools), ERROR.refused);
  const flaw = flawOf(block, message);
  if (flaw) return flaw;
  switch (state.is) {
    case "started":
      return failed(CUT_OFF, ERROR.interrupted);
    case "at_peer":
      return execute(taken, tool, putInput(taken));
    case "answered":
      return answered(taken, tool, state);
    default:
      return permitted(taken, tool);
  }
}

/** Why a call that the model did not finish is not run. */
function flawOf(block: ToolUseBlock, message: AssistantStep): Result | undefined {
  if (message.stopReason === "max_tokens") {
    return failed(
      "Your answer reached its token limit before this call was complete, so it was not run. Make the call shorter.",
      "max_tokens",
    );
  }
  const malformed = message.malformedInputs[block.id];
  if (malformed === undefined) return undefined;
  const shown = malformed.slice(0, 200).toWellFormed();
  return failed(`The input was not a JSON object, so the tool was not run: ${shown}`, "ToolInputError");
}

/** What a peer was asked counts when it is gone on with, where a hook or a person had changed what the model wanted. */
function putInput({ block, runtime }: Taken): Record<string, unknown> {
  const { call } = peerCall(runtime.log, block.id);
  return { ...toRecord(block.input), ...(call && { agent: call.agent, message: call.message }) };
}

/** A call that has not begun: hooks → deny → ask → mode → allow → canUseTool. */
async function permitted(taken: Taken, tool: Tool): Promise<CallOutcome> {
  const { block, runtime, span, signal } = taken;
  const about = { tool_name: tool.name, tool_use_id: block.id } as const;
  const before = await runtime.hook(
    { hook_event_name: "PreToolUse", tool_input: block.input, ...about },
    signal,
    block.id,
  );
  stopFor(before.stop, runtime.append);
  if (before.additionalContext) taken.notes.push(before.additionalContext);
  let input: unknown = before.updatedInput ?? block.input;
  const { permissions, canUseTool } = runtime;
  const decision = decide({ permissions, tool, hookDecision: before.decision, canUseTool: canUseTool !== undefined });
  if (decision.behavior === "deny") return denied(taken, tool, input, decision.reason);
  if (decision.behavior === "canUseTool" && canUseTool) {
    const said = await askCanUseTool(
      canUseTool,
      { tool: tool.name, input: toRecord(input), toolUseId: block.id },
      signal,
    );
    if (said.behavior === "deny" && said.interrupt) stopFor(said.message, runtime.append);
    if (said.behavior === "deny") return denied(taken, tool, input, said.message);
    input = said.updatedInput ?? input;
  }
  if (input !== block.input) span.changed(input);
  if (decision.behavior !== "ask") return execute(taken, tool, input);
  const asked = await askApproval(taken, tool, toRecord(input), decision.reason);
  if ("waits" in asked) return asked;
  if (asked.behavior === "deny") return denied(taken, tool, input, asked.reason);
  if (asked.input !== input) span.changed(asked.input);
  return execute(taken, tool, asked.input);
}

/** Its approval was answered: it runs with exactly what was approved, or not at all. */
async function answered(
  taken: Taken,
  tool: Tool,
  { approval, answer }: Extract<CallState, { is: "answered" }>,
): Promise<CallOutcome> {
  const { block, runtime, span } = taken;
  const { input } = approval;
  if (answer.decision === "expired")
    return denied(taken, tool, input, "Nobody approved it in time, which counts as a no.");
  if (answer.decision !== "allow")
    return denied(
      taken,
      tool,
      input,
      answer.reason ?? `The person who was asked said no to this call of ${tool.name}.`,
    );
  const isBound = runtime.approvalId({ toolUseId: block.id, tool: tool.name, input }) === approval.id;
  if (!isBound || approval.tool !== tool.name) {
    runtime.append({ kind: "approval_answer", id: approval.id, decision: "void", by: "policy" });
    return denied(taken, tool, input, "What was approved is not this call with this input, so the approval is void.");
  }
  // A rule that was deployed since counts.
  const decision = decide({ permissions: runtime.permissions, tool, hookDecision: { behavior: "allow" } });
  if (decision.behavior === "deny") return denied(taken, tool, input, decision.reason);
  span.changed(input);
  return execute(taken, tool, input);
}

async function execute(taken: Taken, tool: Tool, input: unknown): Promise<CallOutcome> {
  const { block, state, runtime, span, signal } = taken;
  const { hook, call, append } = runtime;
  const about = { tool_name: tool.name, tool_input: input, tool_use_id: block.id } as const;
  const mayRepeat = tool.annotations.readOnly || tool.annotations.idempotent;
  if (!mayRepeat && state.is !== "started") append({ kind: "tool_start", toolUseId: block.id });
  const begun = Date.now();
  try {
    const ids = { id: block.id, idempotencyKey: runtime.idempotencyKey(block.id) };
    const content = await runLimited(tool, input, { ...call, ...ids, span: span.span }, signal);
    const duration_ms = Math.max(0, Date.now() - begun);
    const after = await hook(
      { hook_event_name: "PostToolUse", tool_response: content, duration_ms, ...about },
      signal,
      block.id,
    );
    if (after.additionalContext) taken.notes.push(after.additionalContext);
    const stop = after.stop === undefined ? {} : { stop: after.stop };
    if (after.failed) return { ...failed(after.block ?? "A PostToolUse hook failed.", "HookFailure"), ...stop };
    const told = after.updatedToolOutput ?? content;
    return { content: cut(after.block === undefined ? told : `${told}\n\n${after.block}`), ...stop };
  } catch (error) {
    if (error instanceof InputRequired) return { waits: error.approvals };
    if (error instanceof TurnStopped) throw error;
    const duration_ms = Math.max(0, Date.now() - begun);
    const content = cut(reasonOf(error));
    const is_interrupt = signal.aborted;
    const after = await hook(
      { hook_event_name: "PostToolUseFailure", error: content, is_interrupt, duration_ms, ...about },
      signal,
      block.id,
    );
    signal.throwIfAborted();
    const words = [content, after.additionalContext].filter((text) => text !== undefined);
    const stop = after.stop === undefined ? {} : { stop: after.stop };
    return { ...failed(cut(words.join("\n\n")), nameOf(error)), ...stop };
  }
}

async function denied({ block, runtime, signal }: Taken, tool: Tool, input: unknown, reason: string): Promise<Result> {
  const said = await runtime.hook(
    { hook_event_name: "PermissionDenied", tool_name: tool.name, tool_input: input, tool_use_id: block.id, reason },
    signal,
    block.id,
  );
  const content = said.retry ? `${reason}\n\nYou may try again in another way.` : reason;
  const stop = said.stop === undefined ? {} : { stop: said.stop };
  return { ...failed(cut(content), ERROR.refused), denied: true, ...stop };
}

function unknownTool(name: string, tools: readonly Tool[]): string {
  return `There is no tool named ${name}. ${suggest(
    name,
    tools.map((tool) => tool.name),
  )}`;
}

function cut(text: string): string {
  // Half a surrogate pair would make the API refuse this request and all that follow in the thread.
  if (text.length <= MAX_TOOL_OUTPUT) return text.toWellFormed();
  return `${text.slice(0, MAX_TOOL_OUTPUT).toWellFormed()}\n[cut: ${text.length - MAX_TOOL_OUTPUT} of ${text.length} characters left out]`;
}

function failed(content: string, errorType: string): Result {
  return { content, errorType };
}

function toRecord(input: unknown): Record<string, unknown> {
  return typeof input === "object" && input !== null ? { ...input } : {};
}
