// Events of a running turn for those who watch it. Only the log is needed to resume a turn.
import type { ModelErrorCode } from "../models/model.ts";
import type { Usage } from "../budget/usage.ts";

export type LoopEvent =
  /** A model call begins. Text that an earlier call of this turn streamed is no longer part of the answer. */
  | { readonly type: "model_start"; readonly turn: number; readonly attempt: number }
  | { readonly type: "text_delta"; readonly text: string }
  | { readonly type: "model_end"; readonly turn: number; readonly usage: Usage }
  /** The call failed after it had begun, and is retried from its start. */
  | { readonly type: "model_retry"; readonly code: ModelErrorCode; readonly delayMs: number }
  | { readonly type: "tool_start"; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly type: "tool_end"; readonly id: string; readonly name: string; readonly isError: boolean };
