// Which hooks an event reaches: the lists of an agent's definition, what their matchers are held against, and what is
// wrong with them, told when the agent is defined rather than when the first tool runs.
import { reasonOf } from "../../tracing/reason.ts";
import { suggest } from "../../text/nearest.ts";
import type { HookEvent, HookInput, InputOf } from "./input.ts";
import { HOOK_EVENTS, type OutputOf } from "./output.ts";

/** Returns what it has to say, or nothing. `toolUseID` is undefined for events that are about no tool call. */
export type HookCallback<Event extends HookEvent = HookEvent> = (
  input: InputOf<Event>,
  toolUseID: string | undefined,
  options: { readonly signal: AbortSignal },
) => Promise<OutputOf<Event> | void> | OutputOf<Event> | void;

export interface HookCallbackMatcher<Event extends HookEvent = HookEvent> {
  /**
   * A name, names separated by `|` or `,`, or a regular expression, which may fit any part; left out, empty or `*` is
   * every one. Held against the tool's name; at SessionStart against its source, at SessionEnd the reason, at Notification
   * the notification_type, at SubagentStart and SubagentStop the agent_type, at PreCompact and PostCompact the trigger, at
   * StopFailure the error. UserPromptSubmit, Stop and PostToolBatch have nothing to match: their hooks always run.
   */
  readonly matcher?: string;
  readonly hooks: readonly HookCallback<Event>[];
  /** Seconds; 60 when left out. */
  readonly timeout?: number;
  /**
   * What becomes of the action when a hook throws, outlasts its timeout or returns what is no output: it goes on (default),
   * or it is blocked. Ignored at Stop and SubagentStop, where blocking would mean to go on.
   */
  readonly onFailure?: "continue" | "block";
}

export type Hooks = { readonly [Event in HookEvent]?: readonly HookCallbackMatcher<Event>[] };

/** Only names and what separates them. */
const NAMES = /^[\w\-\s,|]*$/;

/** Whether the hooks of `matcher` are to hear of `input`. */
export function matches(matcher: string | undefined, input: HookInput): boolean {
  if (matcher === undefined || matcher === "" || matcher === "*") return true;
  const subject = subjectOf(input);
  if (subject === undefined) return true;
  return NAMES.test(matcher) ? namesIn(matcher).includes(subject) : new RegExp(matcher).test(subject);
}

function namesIn(matcher: string): string[] {
  return matcher
    .split(/[|,]/)
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function subjectOf(input: HookInput): string | undefined {
  switch (input.hook_event_name) {
    case "PreToolUse":
    case "PostToolUse":
    case "PostToolUseFailure":
    case "PermissionRequest":
    case "PermissionDenied":
      return input.tool_name;
    case "SessionStart":
      return input.source;
    case "SessionEnd":
      return input.reason;
    case "StopFailure":
      return input.error;
    case "SubagentStart":
    case "SubagentStop":
      return input.agent_type;
    case "PreCompact":
    case "PostCompact":
      return input.trigger;
    case "Notification":
      return input.notification_type;
    case "PostToolBatch":
    case "UserPromptSubmit":
    case "Stop":
      return undefined;
  }
}

/** Throws TypeError for hooks that could never run as they are meant to. */
export function checkHooks(hooks: Hooks): void {
  for (const [event, matchers] of Object.entries(hooks)) {
    if (!HOOK_EVENTS.includes(event))
      throw new TypeError(`There is no hook event ${event}. ${suggest(event, HOOK_EVENTS)}`);
    for (const { matcher, timeout } of matchers) {
      const problem = matcher === undefined ? undefined : problemOf(matcher);
      if (problem !== undefined) {
        throw new TypeError(
          `The ${event} matcher ${JSON.stringify(matcher)} ${problem}. Write a name, names separated by |, or a regular expression.`,
        );
      }
      if (timeout !== undefined && !(timeout > 0)) {
        throw new TypeError(`The timeout of a ${event} hook is ${timeout}: it has to be a number of seconds above 0.`);
      }
    }
  }
}

function problemOf(matcher: string): string | undefined {
  if (matcher === "" || matcher === "*") return undefined;
  if (NAMES.test(matcher)) return namesIn(matcher).length === 0 ? "names nothing" : undefined;
  try {
    void new RegExp(matcher);
    return undefined;
  } catch (error) {
    return `is no regular expression (${reasonOf(error)})`;
  }
}
