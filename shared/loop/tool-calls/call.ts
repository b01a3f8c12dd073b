// One tool call: what it runs with, and its result.
import type { ToolUseBlock } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Approval } from "../log/approval.ts";
import type { CallState } from "../log/ledger.ts";
import type { AssistantStep } from "../log/step.ts";
import type { ToolSpan } from "../spans/call-spans.ts";
import type { Turn } from "../turn.ts";
import type { Tool } from "../tools/tool.ts";

export interface CallRun {
  readonly block: ToolUseBlock;
  readonly state: CallState;
  readonly message: AssistantStep;
  readonly tool: Tool | undefined;
  readonly turn: Turn;
  readonly span: ToolSpan;
  readonly signal: AbortSignal;
  /** Words of hooks for the model, written with the result. */
  readonly notes: string[];
}

export interface CallResult {
  readonly content: string;
  /** `error.type` of a call that failed. */
  readonly errorType?: string;
  readonly denied?: true;
  /** Why a hook ends the turn, once the result is in the log. */
  readonly stop?: string;
}

export type CallOutcome = CallResult | { readonly waits: readonly Approval[] };
