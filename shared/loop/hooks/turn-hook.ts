// Hooks as a turn runs them. Who began the turn adds what all their inputs share.
import type { HookInput } from "./input.ts";
import type { HookOutcome } from "./outcome.ts";

type Body<Input extends HookInput> = Input extends HookInput
  ? Omit<Input, "session_id" | "prompt_id" | "permission_mode">
  : never;

/** Rejects only with the signal's reason. `toolUseId` is for PermissionRequest, whose input has none. */
export type TurnHook = (input: Body<HookInput>, signal: AbortSignal, toolUseId?: string) => Promise<HookOutcome>;
