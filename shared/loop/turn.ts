// A turn: from the user's message to the answer. Model and tools are passed in; nothing here knows the platform.
// Every step is appended to the log before the next begins, and the log alone says what comes next: a turn whose isolate died is
// gone on with by running it again over the same log.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Model } from "../models/model.ts";
import type { Usage } from "../budget/usage.ts";
import type { Approval, ApprovalRule } from "./approval.ts";
import type { Account } from "../budget/account.ts";
import type { Denial } from "./denials.ts";
import type { OutputShape } from "./structured-output.ts";
import type { TraceContext } from "../tracing/trace-context.ts";
import type { Limits } from "../budget/limits.ts";
import type { LoopEvent } from "./event.ts";
import type { CanUseTool } from "./can-use-tool.ts";
import type { TurnHook } from "./hooks/turn-hook.ts";
import type { Peers } from "./peers.ts";
import type { Permissions } from "./permissions.ts";
import type { TurnTrace } from "./turn-trace.ts";
import type { Step, AssistantStep } from "./step.ts";
import type { Tool, ToolCall } from "./tool.ts";

export interface Turn extends ToolRuntime {
  readonly system: string;
  /** Tools that the API itself runs, e.g. Claude's web search. */
  readonly serverTools: readonly ToolUnion[];
  readonly model: Model;
  /** Milliseconds of work that the task has cost before. */
  readonly workedMs: number;
  /** The account of the whole query; undefined where the job sets it no limit. */
  readonly account: Account | undefined;
  /** Milliseconds that the whole query may take, where this turn answers for it and its time is limited. */
  readonly queryWallMs: number | undefined;
  /** What the answer has to be, where it is to be more than text. */
  readonly output: OutputShape | undefined;
  /** Set when the thread begins, or goes on after its session had ended. */
  readonly sessionStart: "startup" | "resume" | undefined;
  /** Whether another agent asks. */
  readonly isFromPeer: boolean;
  /** Aborts when the task is canceled. */
  readonly signal: AbortSignal;
}

export interface Ended {
  /** Of this agent and those it asked, over all lives of the turn. */
  readonly usage: Usage;
  /** Model calls, over all lives of the turn. */
  readonly turns: number;
  /** US dollars of this agent's model calls; undefined where the price is not known. */
  readonly costUsd: number | undefined;
  readonly denials: readonly Denial[];
}

/** Result subtypes as the Claude Agent SDK names them; those of tokens, wall time, tool calls and cancellation are ours. */
export type EndedTurn = Ended & Conclusion;

/** It waits for these to be answered. */
export interface SuspendedTurn {
  readonly subtype: "suspended";
  readonly approvals: readonly Approval[];
}

export type TurnResult = EndedTurn | SuspendedTurn;

export interface ToolRuntime {
  readonly tools: readonly Tool[];
  readonly permissions: Permissions;
  readonly canUseTool: CanUseTool | undefined;
  /** Runs the agent's hooks for an event; resolves whatever they do. */
  readonly hook: TurnHook;
  /** Answers that the job gives to what it asks. */
  readonly policy: readonly ApprovalRule[];
  /** Milliseconds after which an approval that nobody answered is a no. */
  readonly approvalMs: number;
  /** The id of an approval: binds it to this call of this task, to the byte. */
  readonly approvalId: (call: Pick<Approval, "tool" | "input"> & { readonly toolUseId: string }) => string;
  readonly call: Omit<ToolCall, "id" | "idempotencyKey" | "signal" | "span" | "peers"> & { readonly peers: Peers };
  /** The same for every repetition of a call. */
  readonly idempotencyKey: (toolUseId: string) => string;
  /** What the agents have used that a call asked. */
  readonly peerUsage: (toolUseId: string) => Usage | undefined;
  /** What the task may cost this agent. */
  readonly budget: Limits & { readonly maxTurns: number; readonly maxWallMs: number };
  /** Books calls at the query's account; throws BudgetSpent. */
  readonly countToolCalls: (id: string, count: number, signal: AbortSignal) => Promise<void>;
  /** The thread's log, the task's own steps from `begin` on; grows with each `append`. */
  readonly log: readonly Step[];
  readonly begin: number;
  /** Which life of the turn this is, from 1. */
  readonly life: number;
  /** Makes the step durable before anything that follows it can be seen outside. */
  readonly append: (step: Step) => void;
  readonly emit: (event: LoopEvent) => void;
  readonly trace: TurnTrace;
  /** Tells whoever looks after the agent of what its code threw. */
  readonly report?: (failure: string, span: TraceContext) => void;
}

export type Conclusion =
  | {
      readonly subtype: "success";
      readonly text: string;
      /** What fits the turn's output schema, where it has one. */
      readonly structured?: unknown;
      readonly stopReason: AssistantStep["stopReason"];
    }
  | {
      readonly subtype:
        | "error_during_execution"
        | "error_max_turns"
        | "error_max_tokens"
        | "error_max_budget_usd"
        | "error_max_wall_time"
        | "error_max_tool_calls"
        | "error_max_structured_output_retries"
        | "canceled";
      readonly message: string;
      /** `error.type` of the turn's span. */
      readonly errorType: string;
    };
