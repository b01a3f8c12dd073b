// What a turn is: what it works with, what it costs, and how it ends. A turn leads from a message to its answer (run-turn.ts).
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Model } from "../models/model.ts";
import type { Usage } from "../budget/usage.ts";
import type { Approval, ApprovalRule } from "./log/approval.ts";
import type { Account } from "../budget/account.ts";
import type { CodeRun } from "./code/code-run.ts";
import type { Denial } from "./log/denials.ts";
import type { OutputShape } from "./ending/output-shape.ts";
import type { TraceContext } from "../tracing/trace-context.ts";
import type { Limits } from "../budget/limits.ts";
import type { LoopEvent } from "./event.ts";
import type { CanUseTool } from "./tools/can-use-tool.ts";
import type { TurnHook } from "./hooks/turn-hook.ts";
import type { Peers } from "./tools/peers.ts";
import type { Permissions } from "./tools/permissions.ts";
import type { TurnTrace } from "./spans/turn-trace.ts";
import type { CodeQuestion } from "./log/ledger.ts";
import type { AssistantStep } from "./log/step.ts";
import type { TurnLog } from "./log/turn-log.ts";
import type { Tool, ToolCall } from "./tools/tool.ts";

export interface Turn {
  readonly model: Model;
  /** The agent's own code, which answers instead of the model. */
  readonly code: CodeRun | undefined;
  /** The system prompt. */
  readonly system: string;
  readonly tools: readonly Tool[];
  /** Tools that the API itself runs, e.g. Claude's web search. */
  readonly serverTools: readonly ToolUnion[];
  readonly permissions: Permissions;
  readonly canUseTool: CanUseTool | undefined;
  /** Runs the agent's hooks for an event; resolves whatever they do. */
  readonly hook: TurnHook;
  readonly log: TurnLog;
  readonly budget: TurnBudget;
  readonly approvals: TurnApprovals;
  /** What tools get with each call. */
  readonly call: Omit<ToolCall, "id" | "idempotencyKey" | "signal" | "span" | "peers" | "artifact"> & {
    readonly peers: Peers;
  };
  /** Keeps an artifact that a tool gives. */
  readonly artifact: ToolCall["artifact"];
  /** The same for every repetition of a call. */
  readonly idempotencyKey: (toolUseId: string) => string;
  /** What the agents that a call asked have used. */
  readonly peerUsage: (toolUseId: string) => Usage | undefined;
  /** The schema of the answer; undefined where the answer is text. */
  readonly output: OutputShape | undefined;
  /** Set when the thread begins, or resumes after its session had ended. */
  readonly sessionStart: "startup" | "resume" | undefined;
  /** Whether another agent asks. */
  readonly isFromPeer: boolean;
  readonly emit: (event: LoopEvent) => void;
  readonly trace: TurnTrace;
  /** Reports what the agent's own code threw to whoever looks after the agent. */
  readonly report?: (failure: string, span: TraceContext) => void;
  /** Aborts when the task is canceled. */
  readonly signal: AbortSignal;
}

/** What a turn may cost. */
export interface TurnBudget {
  /** Of this agent, for the task. */
  readonly limits: Limits & { readonly maxTurns: number; readonly maxWallMs: number };
  /** Milliseconds of work that the task had cost before this life. */
  readonly workedMs: number;
  /** The account of the whole query; undefined where the job sets it no limit. */
  readonly account: Account | undefined;
  /** Milliseconds that the whole query may take; set where this turn answers for the query and its time is limited. */
  readonly queryWallMs: number | undefined;
}

/** How a turn's tool calls are approved. */
export interface TurnApprovals {
  /** Answers that the job gives by itself. */
  readonly policy: readonly ApprovalRule[];
  /** Milliseconds after which an approval that nobody answered expires, which denies the call. */
  readonly expiresMs: number;
  /** The id of an approval: binds it to this call of this task, to the byte. */
  readonly idOf: (call: Pick<Approval, "tool" | "input"> & { readonly toolUseId: string }) => string;
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

/** Result subtypes as the Claude Agent SDK names them; those of tokens, wall time, tool calls, rejection and cancellation are ours. */
export type EndedTurn = Ended & Conclusion;

/** It waits for these to be answered. */
export interface SuspendedTurn {
  readonly subtype: "suspended";
  readonly approvals: readonly Approval[];
  readonly question?: CodeQuestion;
}

export type TurnResult = EndedTurn | SuspendedTurn;

export type Conclusion =
  | {
      readonly subtype: "success";
      readonly text: string;
      /** The last message of the log is the answer. */
      readonly isMessage?: true;
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
        | "rejected"
        | "canceled";
      readonly message: string;
      /** `error.type` of the turn's span. */
      readonly errorType: string;
    };
