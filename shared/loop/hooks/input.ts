// Events of hooks and their inputs, with the names and shapes of the Claude Agent SDK (0.3.329). Left out, because they mean nothing
// here: transcript_path and cwd, MCP provenance, permission suggestions, background tasks.
import type { Permissions } from "../tools/permissions.ts";

export interface BaseHookInput {
  /** The session: the contextId up to its first `~`. */
  readonly session_id: string;
  /** The task that the user's message opened. */
  readonly prompt_id?: string;
  readonly permission_mode?: Permissions["mode"];
  /** The thread, where another agent opened it; absent in the thread of the session's own user. */
  readonly agent_id?: string;
  /** The agent's id in the job. */
  readonly agent_type?: string;
}

interface About {
  readonly tool_name: string;
  readonly tool_input: unknown;
}
interface AboutCall extends About {
  readonly tool_use_id: string;
}

export interface PreToolUseHookInput extends BaseHookInput, AboutCall {
  readonly hook_event_name: "PreToolUse";
}
export interface PostToolUseHookInput extends BaseHookInput, AboutCall {
  readonly hook_event_name: "PostToolUse";
  readonly tool_response: unknown;
  /** Milliseconds the tool ran, hooks and approvals not included. */
  readonly duration_ms?: number;
}
export interface PostToolUseFailureHookInput extends BaseHookInput, AboutCall {
  readonly hook_event_name: "PostToolUseFailure";
  readonly error: string;
  /** The turn was canceled or its time was up. */
  readonly is_interrupt?: boolean;
  readonly duration_ms?: number;
}
export interface PostToolBatchHookInput extends BaseHookInput {
  readonly hook_event_name: "PostToolBatch";
  readonly tool_calls: readonly (AboutCall & { readonly tool_response?: unknown })[];
}
export interface PermissionRequestHookInput extends BaseHookInput, About {
  readonly hook_event_name: "PermissionRequest";
}
export interface PermissionDeniedHookInput extends BaseHookInput, AboutCall {
  readonly hook_event_name: "PermissionDenied";
  readonly reason: string;
}
export interface UserPromptSubmitHookInput extends BaseHookInput {
  readonly hook_event_name: "UserPromptSubmit";
  readonly prompt: string;
  /** `user`: a person or a program. `system`: another agent. */
  readonly source?: "user" | "sdk" | "system" | "loop_wakeup" | "schedule_wakeup" | "poll_event";
}
export interface SessionStartHookInput extends BaseHookInput {
  readonly hook_event_name: "SessionStart";
  readonly source: "startup" | "resume" | "clear" | "compact" | "fork";
  readonly model?: string;
}
export interface SessionEndHookInput extends BaseHookInput {
  readonly hook_event_name: "SessionEnd";
  readonly reason: "clear" | "resume" | "logout" | "prompt_input_exit" | "other";
}
export interface StopHookInput extends BaseHookInput {
  readonly hook_event_name: "Stop";
  /** A Stop hook has already made the agent continue. A hook that ignores this may make it continue for ever. */
  readonly stop_hook_active: boolean;
  readonly last_assistant_message?: string;
}
export interface StopFailureHookInput extends BaseHookInput {
  readonly hook_event_name: "StopFailure";
  readonly error:
    | "authentication_failed"
    | "billing_error"
    | "rate_limit"
    | "overloaded"
    | "invalid_request"
    | "model_not_found"
    | "server_error"
    | "max_output_tokens"
    | "unknown";
  readonly error_details?: string;
  readonly last_assistant_message?: string;
}
export interface SubagentStartHookInput extends BaseHookInput {
  readonly hook_event_name: "SubagentStart";
  readonly agent_id: string;
  readonly agent_type: string;
}
export interface SubagentStopHookInput extends BaseHookInput {
  readonly hook_event_name: "SubagentStop";
  readonly stop_hook_active: boolean;
  readonly agent_id: string;
  readonly agent_type: string;
  readonly last_assistant_message?: string;
}
export interface PreCompactHookInput extends BaseHookInput {
  readonly hook_event_name: "PreCompact";
  readonly trigger: "manual" | "auto";
  readonly custom_instructions: string | null;
}
export interface PostCompactHookInput extends BaseHookInput {
  readonly hook_event_name: "PostCompact";
  readonly trigger: "manual" | "auto";
  readonly compact_summary: string;
}
export interface NotificationHookInput extends BaseHookInput {
  readonly hook_event_name: "Notification";
  readonly message: string;
  readonly title?: string;
  readonly notification_type: string;
}

export type HookInput =
  | PreToolUseHookInput
  | PostToolUseHookInput
  | PostToolUseFailureHookInput
  | PostToolBatchHookInput
  | PermissionRequestHookInput
  | PermissionDeniedHookInput
  | UserPromptSubmitHookInput
  | SessionStartHookInput
  | SessionEndHookInput
  | StopHookInput
  | StopFailureHookInput
  | SubagentStartHookInput
  | SubagentStopHookInput
  | PreCompactHookInput
  | PostCompactHookInput
  | NotificationHookInput;

export type HookEvent = HookInput["hook_event_name"];
export type InputOf<Event extends HookEvent> = Extract<HookInput, { readonly hook_event_name: Event }>;

/** The fields that the inputs of all hooks of a turn share. */
export function baseHookInput(about: {
  readonly contextId: string;
  readonly taskId: string;
  readonly agent: string;
  readonly mode: Permissions["mode"];
}): BaseHookInput {
  const peer = about.contextId.indexOf("~");
  return {
    session_id: peer === -1 ? about.contextId : about.contextId.slice(0, peer),
    prompt_id: about.taskId,
    permission_mode: about.mode,
    agent_type: about.agent,
    ...(peer === -1 ? {} : { agent_id: about.contextId }),
  };
}
