// The no in what a hook returned, where the whole of it does not fit: a denial counts however it is dressed, a consent never.
import { reasonOf } from "../../text/reason.ts";
import type { HookEvent } from "./input.ts";
import type { HookJSONOutput } from "./output.ts";

/** Undefined where no denial, block or end of the turn can be read. Never throws: a hook's objects are its own code. */
export function refusalIn(event: HookEvent, returned: unknown): HookJSONOutput | undefined {
  try {
    const specific = fieldOf(returned, "hookSpecificOutput");
    const stops = fieldOf(returned, "continue") === false;
    const blocks = fieldOf(returned, "decision") === "block";
    const denial = denialIn(event, specific);
    if (!stops && !blocks && denial === undefined) return undefined;
    return {
      ...(stops ? { continue: false, ...text("stopReason", fieldOf(returned, "stopReason")) } : {}),
      ...(blocks ? { decision: "block", ...text("reason", fieldOf(returned, "reason")) } : {}),
      ...denial,
    };
  } catch {
    return undefined;
  }
}

function denialIn(event: HookEvent, specific: unknown): HookJSONOutput | undefined {
  if (event === "PreToolUse" && fieldOf(specific, "permissionDecision") === "deny") {
    const reason = text("permissionDecisionReason", fieldOf(specific, "permissionDecisionReason"));
    return { hookSpecificOutput: { hookEventName: event, permissionDecision: "deny", ...reason } };
  }
  const decision = fieldOf(specific, "decision");
  if (event !== "PermissionRequest" || fieldOf(decision, "behavior") !== "deny") return undefined;
  const interrupt = fieldOf(decision, "interrupt") === true ? { interrupt: true } : {};
  const message = text("message", fieldOf(decision, "message"));
  return { hookSpecificOutput: { hookEventName: event, decision: { behavior: "deny", ...message, ...interrupt } } };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function text<Name extends string>(name: Name, value: unknown): { [Field in Name]?: string } {
  const said: { [Field in Name]?: string } = {};
  if (typeof value === "string") said[name] = reasonOf(value);
  return said;
}
