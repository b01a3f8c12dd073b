// Which hooks an event reaches, and mistakes in an agent's list of hooks: found when the agent is defined, not when a tool runs.
import * as z from "zod";
import { reasonOf } from "../../text/reason.ts";
import { suggest } from "../../text/nearest.ts";
import type { HookEvent, HookInput, InputOf } from "./input.ts";
import { HOOK_EVENTS, type OutputOf } from "./output.ts";

/** `toolUseID` is undefined for events that concern no tool call. */
export type HookCallback<Event extends HookEvent = HookEvent> = (
  input: InputOf<Event>,
  toolUseID: string | undefined,
  options: { readonly signal: AbortSignal },
) => Promise<OutputOf<Event> | void> | OutputOf<Event> | void;

export interface HookCallbackMatcher<Event extends HookEvent = HookEvent> {
  /**
   * A name, names separated by `|` or `,`, or a regular expression that may match any part. Left out, empty or `*` matches all. It is
   * compared with the tool's name; at SessionStart with the source, at SessionEnd the reason, at Notification the notification_type, at
   * SubagentStart and SubagentStop the agent_type, at PreCompact and PostCompact the trigger, at StopFailure the error. UserPromptSubmit,
   * Stop and PostToolBatch have nothing to match: their hooks always run.
   */
  readonly matcher?: string;
  readonly hooks: readonly HookCallback<Event>[];
  /** Seconds; 60 when left out. */
  readonly timeout?: number;
  /**
   * When a hook throws, outlasts its timeout or returns no valid output, the action continues (default) or is blocked. Ignored at Stop
   * and SubagentStop, where a block would mean to continue.
   */
  readonly onFailure?: "continue" | "block";
}

export type Hooks = { readonly [Event in HookEvent]?: readonly HookCallbackMatcher<Event>[] };

const FIELDS = ["matcher", "hooks", "timeout", "onFailure"];

/** Only names and separators. */
const NAMES = /^[\w\-\s,|]*$/;

/** Whether the hooks of `matcher` run for `input`. */
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

/** Throws TypeError for hooks that could never run. */
export function checkHooks(hooks: Hooks): void {
  const flaws = hookFlaws(hooks);
  if (flaws.length > 0) throw new TypeError(flaws.map(({ message }) => message).join("\n"));
}

/** Mistakes in hooks. `quote` is a name as it is written there. The hooks are an agent's own code, so they may be any value. */
export function hookFlaws(hooks: Hooks): { readonly message: string; readonly quote: string }[] {
  return Object.entries(hooks).flatMap(([event, matchers]) => {
    const flaw = (message: string, quote = event) => ({ message, quote });
    if (!HOOK_EVENTS.includes(event)) return [flaw(`There is no hook event ${event}. ${suggest(event, HOOK_EVENTS)}`)];
    const listed = z.array(z.record(z.string(), z.unknown())).safeParse(matchers);
    if (!listed.success) return [flaw(`The ${event} hooks are no list of { matcher, hooks }.`)];
    return listed.data.flatMap(({ matcher, hooks: callbacks, timeout, onFailure, ...others }) => {
      const messages = Object.keys(others).map((key) =>
        flaw(`A ${event} hook has no field "${key}". ${suggest(key, FIELDS)}`, key),
      );
      const problem = problemOf(matcher);
      if (problem !== undefined) {
        const hint = "Write a name, names separated by |, or a regular expression.";
        const quote = typeof matcher === "string" ? matcher : event;
        messages.push(flaw(`The ${event} matcher ${JSON.stringify(matcher)} ${problem}. ${hint}`, quote));
      }
      if (!Array.isArray(callbacks) || callbacks.some((callback) => typeof callback !== "function")) {
        messages.push(flaw(`The hooks of a ${event} matcher are no list of functions.`));
      }
      if (timeout !== undefined && !(typeof timeout === "number" && timeout > 0)) {
        const rule = "it has to be a number of seconds above 0";
        messages.push(flaw(`The timeout of a ${event} hook is ${JSON.stringify(timeout)}: ${rule}.`));
      }
      if (onFailure !== undefined && onFailure !== "continue" && onFailure !== "block") {
        const rule = "it has to be continue or block";
        messages.push(flaw(`The onFailure of a ${event} hook is ${JSON.stringify(onFailure)}: ${rule}.`));
      }
      return messages;
    });
  });
}

/** The names in a matcher; undefined for a regular expression. */
export function matcherNames(matcher: string): string[] | undefined {
  return NAMES.test(matcher) ? namesIn(matcher) : undefined;
}

function problemOf(matcher: unknown): string | undefined {
  if (matcher === undefined || matcher === "" || matcher === "*") return undefined;
  if (typeof matcher !== "string") return "is no text";
  if (NAMES.test(matcher)) return namesIn(matcher).length === 0 ? "names nothing" : undefined;
  try {
    void new RegExp(matcher);
    return undefined;
  } catch (error) {
    return `is no regular expression (${reasonOf(error)})`;
  }
}
