// Hooks around tool calls, in the shapes of the Claude Agent SDK (HookCallbackMatcher, PreToolUseHookInput …).
// A hook that throws or outlasts its timeout does what its `onFailure` says: go on (default), or block the call.
import { reasonOf } from "../tracing/reason.ts";
import { untilAborted } from "./until-aborted.ts";

interface HookInputBase {
  readonly session_id: string;
  readonly tool_name: string;
  readonly tool_input: unknown;
  readonly tool_use_id: string;
}
export interface PreToolUseHookInput extends HookInputBase {
  readonly hook_event_name: "PreToolUse";
}
export interface PostToolUseHookInput extends HookInputBase {
  readonly hook_event_name: "PostToolUse";
  readonly tool_response: string;
}

export interface PreToolUseHookOutput {
  readonly permissionDecision?: "allow" | "deny";
  readonly permissionDecisionReason?: string;
  /** Replaces the tool's input; validated like the model's own. */
  readonly updatedInput?: unknown;
}
export interface PostToolUseHookOutput {
  /** Replaces the tool's output towards the model. */
  readonly updatedToolOutput?: string;
}

type Hook<Input, Output> = (input: Input, options: { signal: AbortSignal }) => Promise<Output | void> | Output | void;

export interface HookMatcher<Input, Output> {
  /** Tool names, alternatives separated by `|`; every tool when left out. */
  readonly matcher?: string;
  readonly hooks: readonly Hook<Input, Output>[];
  /** Seconds for each hook; 60 when left out. */
  readonly timeout?: number;
  readonly onFailure?: "continue" | "block";
}

export interface Hooks {
  readonly PreToolUse?: readonly HookMatcher<PreToolUseHookInput, PreToolUseHookOutput>[];
  readonly PostToolUse?: readonly HookMatcher<PostToolUseHookInput, PostToolUseHookOutput>[];
}

/** A hook with `onFailure: "block"` failed, so the call it guards may not go on. */
class HookFailure extends Error {
  override readonly name = "HookFailure";
}

/** Runs the matching hooks in order and returns what each said. Throws HookFailure, or the signal's reason. */
export async function runHooks<Input extends HookInputBase & { hook_event_name: string }, Output>(
  matchers: readonly HookMatcher<Input, Output>[] | undefined,
  input: Input,
  signal: AbortSignal,
): Promise<Output[]> {
  const outputs: Output[] = [];
  for (const matcher of matchers ?? []) {
    if (matcher.matcher !== undefined && !matcher.matcher.split("|").includes(input.tool_name)) continue;
    for (const hook of matcher.hooks) {
      try {
        const output = await withTimeout(hook, input, (matcher.timeout ?? 60) * 1000, signal);
        if (output) outputs.push(output);
      } catch (error) {
        signal.throwIfAborted();
        if (matcher.onFailure !== "block") continue;
        const reason = reasonOf(error);
        throw new HookFailure(`A ${input.hook_event_name} hook failed, and its onFailure is "block": ${reason}`);
      }
    }
  }
  return outputs;
}

async function withTimeout<Input, Output>(
  hook: Hook<Input, Output>,
  input: Input,
  limitMs: number,
  signal: AbortSignal,
): Promise<Output | void> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error(`took longer than ${limitMs / 1000} s`)), limitMs);
  try {
    const both = AbortSignal.any([signal, limit.signal]);
    return await untilAborted(Promise.resolve(hook(input, { signal: both })), both);
  } finally {
    clearTimeout(timer);
  }
}
