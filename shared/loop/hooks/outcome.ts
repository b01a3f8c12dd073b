// Merges the outputs of one event's hooks, in the order in which the hooks are listed: the fastest hook has no say in the result.
import type { HookEvent } from "./input.ts";
import type { HookJSONOutput, PermissionRequestDecision } from "./output.ts";
import type { HookBehavior } from "../tools/permissions.ts";

/** A field is absent where no hook set it. */
export interface HookOutcome {
  /**
   * Why the action is blocked: the tool call, the permission request, the prompt, the compaction. At Stop and SubagentStop it is why
   * the agent has to continue; after an action that cannot be undone, what the model reads about it.
   */
  readonly block?: string;
  /** The block comes from a hook that failed. */
  readonly failed?: true;
  /** Why the turn ends. */
  readonly stop?: string;
  /** PreToolUse: the strictest of deny, defer, ask and allow. A block denies. */
  readonly decision?: { readonly behavior: HookBehavior; readonly reason?: string };
  /** PreToolUse: the new input; the last hook's. */
  readonly updatedInput?: Readonly<Record<string, unknown>>;
  /** PostToolUse: the output for the model; the last hook's. */
  readonly updatedToolOutput?: string;
  /** For the model; of several hooks, one after another. */
  readonly additionalContext?: string;
  /** For the person. */
  readonly systemMessages: readonly string[];
  /** PermissionRequest: the answer. A denial wins, and a block denies. */
  readonly permissionRequest?: PermissionRequestDecision;
  /** PermissionDenied: the model may try again. */
  readonly retry?: true;
  /** SessionStart: precedes the person's first message. */
  readonly initialUserMessage?: string;
}

/** A hook that failed with `onFailure: "block"`. */
export interface HookFailure {
  readonly failure: string;
}

const STRICTEST: readonly HookBehavior[] = ["deny", "defer", "ask", "allow"];

/** The fields of `hookSpecificOutput`, of all events. */
interface Specific {
  readonly permissionDecision?: HookBehavior | undefined;
  readonly permissionDecisionReason?: string | undefined;
  readonly updatedInput?: Record<string, unknown> | undefined;
  readonly updatedToolOutput?: unknown;
  readonly additionalContext?: string | undefined;
  readonly decision?: PermissionRequestDecision | undefined;
  readonly retry?: boolean | undefined;
  readonly initialUserMessage?: string | undefined;
}

export function mergeOutputs(event: HookEvent, heard: readonly (HookJSONOutput | HookFailure)[]): HookOutcome {
  const said = heard.filter((each): each is HookJSONOutput => !("failure" in each));
  const specific = said.map((output): Specific => ("hookSpecificOutput" in output && output.hookSpecificOutput) || {});
  const failure = heard.find((each) => "failure" in each)?.failure;
  const blocking = said.find(({ decision }) => decision === "block");
  const block = failure ?? (blocking && (blocking.reason ?? `A ${event} hook blocked this.`));
  const stopping = said.find((output) => output.continue === false);
  const stop = stopping && (stopping.stopReason ?? `A ${event} hook ended the turn.`);
  const context = specific.flatMap(({ additionalContext }) => additionalContext || []).join("\n\n");
  const decision = event === "PreToolUse" ? strictest(said, specific, block) : undefined;
  const updatedInput = last(specific.map((each) => each.updatedInput));
  const replacing = last(specific.map((each) => each.updatedToolOutput));
  const permissionRequest = event === "PermissionRequest" ? answerOf(specific, block) : undefined;
  const initialUserMessage = last(specific.map((each) => each.initialUserMessage));
  return {
    ...(block !== undefined && { block }),
    ...(failure !== undefined && { failed: true }),
    ...(stop !== undefined && { stop }),
    ...(decision && { decision }),
    ...(updatedInput && { updatedInput }),
    ...(replacing !== undefined && {
      updatedToolOutput: typeof replacing === "string" ? replacing : JSON.stringify(replacing),
    }),
    ...(context !== "" && { additionalContext: context }),
    systemMessages: said.flatMap(({ systemMessage }) => systemMessage || []),
    ...(permissionRequest && { permissionRequest }),
    ...(specific.some(({ retry }) => retry) && { retry: true }),
    ...(initialUserMessage !== undefined && { initialUserMessage }),
  };
}

/** `decision: "approve" | "block"` is the older form of allow and deny. */
function strictest(
  said: readonly HookJSONOutput[],
  specific: readonly Specific[],
  block: string | undefined,
): HookOutcome["decision"] {
  if (block !== undefined) return { behavior: "deny", reason: block };
  for (const behavior of STRICTEST) {
    const found = specific.find(({ permissionDecision }) => permissionDecision === behavior);
    if (found) return withReason(behavior, found.permissionDecisionReason);
  }
  const approving = said.find(({ decision }) => decision === "approve");
  return approving && withReason("allow", approving.reason);
}

function withReason(behavior: HookBehavior, reason: string | undefined): HookOutcome["decision"] {
  return reason === undefined ? { behavior } : { behavior, reason };
}

function answerOf(specific: readonly Specific[], block: string | undefined): PermissionRequestDecision | undefined {
  if (block !== undefined) return { behavior: "deny", message: block };
  const answers = specific.flatMap(({ decision }) => decision ?? []);
  const denials = answers.filter((answer) => answer.behavior === "deny");
  if (denials[0]) return denials.find(({ interrupt }) => interrupt) ?? denials[0];
  return answers.findLast((answer) => answer.behavior === "allow" && answer.updatedInput) ?? answers[0];
}

function last<Value>(values: readonly (Value | undefined)[]): Value | undefined {
  return values.findLast((value) => value !== undefined);
}
