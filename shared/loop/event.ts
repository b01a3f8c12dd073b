// What a running turn tells whoever watches it, as it happens. Nothing here is needed to resume: that is the log's part.
import type { ModelErrorCode } from "../models/model.ts";
import type { Usage } from "../budget/usage.ts";

export type LoopEvent =
  /** A model call begins; text that an earlier call of this turn streamed is no part of the answer any more. */
  | { readonly type: "model_start"; readonly turn: number; readonly attempt: number }
  | { readonly type: "text_delta"; readonly text: string }
  | { readonly type: "model_end"; readonly turn: number; readonly usage: Usage }
  /** The call failed after it had begun; it is made again from its start. */
  | { readonly type: "model_retry"; readonly code: ModelErrorCode; readonly delayMs: number }
  | { readonly type: "tool_start"; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly type: "tool_end"; readonly id: string; readonly name: string; readonly isError: boolean };
