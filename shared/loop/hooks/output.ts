// Outputs of hooks, with the names and shapes of the Claude Agent SDK (0.3.329). They are parsed, because a hook is an agent's own code.
// An unknown field is a mistake: the hook has failed, and its `onFailure` decides.
import * as z from "zod";
import { jsonCopy } from "../../text/plain-json.ts";
import type { HookEvent } from "./input.ts";
import { reasonOf } from "../../text/reason.ts";

const text = z.string().optional();
const input = z.record(z.string(), z.unknown());
const adding = { additionalContext: text };
/** A field of the SDK that means nothing here and is ignored. */
const ignored = z.unknown().optional();

/** The `hookSpecificOutput` of an event. */
function specific<Event extends HookEvent, Fields extends z.ZodRawShape>(event: Event, fields: Fields) {
  return { hookSpecificOutput: z.strictObject({ hookEventName: z.literal(event), ...fields }).optional() };
}

const Decision = z.discriminatedUnion("behavior", [
  z.strictObject({ behavior: z.literal("allow"), updatedInput: input.optional(), updatedPermissions: ignored }),
  z.strictObject({ behavior: z.literal("deny"), message: text, interrupt: z.boolean().optional() }),
]);
export type PermissionRequestDecision = z.infer<typeof Decision>;

const shared = {
  /** false ends the turn. `stopReason` is its result. */
  continue: z.boolean().optional(),
  stopReason: text,
  decision: z.enum(["approve", "block"]).optional(),
  reason: text,
  /** For the person, not for the model. */
  systemMessage: text,
  /** Ignored, like the next: there is no terminal here. */
  suppressOutput: ignored,
  terminalSequence: ignored,
};

const OUTPUTS = {
  PreToolUse: z.strictObject({
    ...shared,
    ...specific("PreToolUse", {
      permissionDecision: z.enum(["allow", "deny", "ask", "defer"]).optional(),
      permissionDecisionReason: text,
      /** Replaces the tool's input, and is validated like it. */
      updatedInput: input.optional(),
      ...adding,
    }),
  }),
  PostToolUse: z.strictObject({
    ...shared,
    /** `updatedToolOutput` replaces the tool's output for the model: text as it is, anything else as JSON. */
    ...specific("PostToolUse", {
      updatedToolOutput: z.json().optional(),
      /** Ignored: no tool here is an MCP tool. */
      updatedMCPToolOutput: ignored,
      ...adding,
    }),
  }),
  PostToolUseFailure: z.strictObject({ ...shared, ...specific("PostToolUseFailure", adding) }),
  PostToolBatch: z.strictObject({ ...shared, ...specific("PostToolBatch", adding) }),
  PermissionRequest: z.strictObject({ ...shared, ...specific("PermissionRequest", { decision: Decision }) }),
  PermissionDenied: z.strictObject({ ...shared, ...specific("PermissionDenied", { retry: z.boolean().optional() }) }),
  UserPromptSubmit: z.strictObject({
    ...shared,
    ...specific("UserPromptSubmit", { ...adding, sessionTitle: ignored, suppressOriginalPrompt: ignored }),
  }),
  SessionStart: z.strictObject({
    ...shared,
    ...specific("SessionStart", { ...adding, initialUserMessage: text, sessionTitle: ignored, watchPaths: ignored }),
  }),
  SessionEnd: z.strictObject(shared),
  Stop: z.strictObject({ ...shared, ...specific("Stop", adding) }),
  StopFailure: z.strictObject(shared),
  SubagentStart: z.strictObject({ ...shared, ...specific("SubagentStart", adding) }),
  SubagentStop: z.strictObject({ ...shared, ...specific("SubagentStop", adding) }),
  PreCompact: z.strictObject(shared),
  PostCompact: z.strictObject(shared),
  Notification: z.strictObject({ ...shared, ...specific("Notification", adding) }),
} satisfies Record<HookEvent, z.ZodType>;

export type OutputOf<Event extends HookEvent> = z.infer<(typeof OUTPUTS)[Event]>;
export type HookJSONOutput = OutputOf<HookEvent>;
export const HOOK_EVENTS: readonly string[] = Object.keys(OUTPUTS);

/**
 * Parses what a hook returned into a copy, which the hook can no longer change. Undefined when the hook returned nothing. Throws an
 * Error that says what is wrong.
 */
export function readOutput(event: HookEvent, returned: unknown): HookJSONOutput | undefined {
  if (returned === undefined) return undefined;
  const said = jsonCopy(returned);
  if (typeof said !== "object" || said === null || Array.isArray(said)) {
    throw new TypeError(`it returned ${kindOf(said)} where an object or nothing is expected`);
  }
  if ("async" in said)
    throw new TypeError("it returned { async: true }, but hooks cannot answer later: await the work");
  const parsed = OUTPUTS[event].safeParse(said);
  if (!parsed.success) throw new TypeError(`its output does not fit ${event}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}

/**
 * The denial, block or end of the turn in a malformed output; undefined where none can be read. A denial counts even so, a consent
 * never does. Never throws, though reading a hook's objects may run its code.
 */
export function refusalIn(event: HookEvent, returned: unknown): HookJSONOutput | undefined {
  try {
    const specific = fieldOf(returned, "hookSpecificOutput");
    const stops = fieldOf(returned, "continue") === false;
    const blocks = fieldOf(returned, "decision") === "block";
    const denial = denialIn(event, specific);
    if (!stops && !blocks && denial === undefined) return undefined;
    return {
      ...(stops ? { continue: false, ...textField("stopReason", fieldOf(returned, "stopReason")) } : {}),
      ...(blocks ? { decision: "block", ...textField("reason", fieldOf(returned, "reason")) } : {}),
      ...denial,
    };
  } catch {
    return undefined;
  }
}

function denialIn(event: HookEvent, specific: unknown): HookJSONOutput | undefined {
  if (event === "PreToolUse" && fieldOf(specific, "permissionDecision") === "deny") {
    const reason = textField("permissionDecisionReason", fieldOf(specific, "permissionDecisionReason"));
    return { hookSpecificOutput: { hookEventName: event, permissionDecision: "deny", ...reason } };
  }
  const decision = fieldOf(specific, "decision");
  if (event !== "PermissionRequest" || fieldOf(decision, "behavior") !== "deny") return undefined;
  const interrupt = fieldOf(decision, "interrupt") === true ? { interrupt: true } : {};
  const message = textField("message", fieldOf(decision, "message"));
  return { hookSpecificOutput: { hookEventName: event, decision: { behavior: "deny", ...message, ...interrupt } } };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function textField<Name extends string>(name: Name, value: unknown): { [Field in Name]?: string } {
  const said: { [Field in Name]?: string } = {};
  if (typeof value === "string") said[name] = reasonOf(value);
  return said;
}
