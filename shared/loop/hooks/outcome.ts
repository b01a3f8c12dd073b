// What the hooks of one event say together. The order of the outputs is that in which the hooks are listed, so that the same
// words always merge to the same outcome, whoever was faster.
import type { HookEvent } from "./input.ts";
import type { HookJSONOutput, PermissionRequestDecision } from "./output.ts";
import type { HookBehavior } from "../permissions.ts";

/** Each field is left out where no hook said anything of the kind. */
export interface HookOutcome {
  /**
   * The action may not go on, and why: the tool call, the permission request, the prompt, the compaction. At Stop and
   * SubagentStop it is why the agent has to go on; after an action that cannot be undone, what the model is told of it.
   */
  readonly block?: string;
  /** The block comes from a hook that failed, not from one that said so. */
  readonly failed?: true;
  /** The turn ends, and why. */
  readonly stop?: string;
  /** PreToolUse: the strictest of deny, defer, ask and allow. A block is a deny. */
  readonly decision?: { readonly behavior: HookBehavior; readonly reason?: string };
  /** PreToolUse: the input to go on with; the last one given. */
  readonly updatedInput?: Readonly<Record<string, unknown>>;
  /** PostToolUse: the output towards the model; the last one given. */
  readonly updatedToolOutput?: string;
  /** For the model; of several hooks, one after the other. */
  readonly additionalContext?: string;
  /** For the person. */
  readonly systemMessages: readonly string[];
  /** PermissionRequest: the answer; deny wins, and a block is a deny. */
  readonly permissionRequest?: PermissionRequestDecision;
  /** PermissionDenied: the model is told that it may try again. */
  readonly retry?: true;
  /** SessionStart: goes before the person's first message. */
  readonly initialUserMessage?: string;
}

/** A hook that failed with `onFailure: "block"`. */
export interface HookFailure {
  readonly failure: string;
}

const STRICTEST: readonly HookBehavior[] = ["deny", "defer", "ask", "allow"];

/** The fields of all events' `hookSpecificOutput`. */
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

/** `decision: "approve" | "block"` is the older way to say allow and deny. */
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
