// Which tools may run, decided in the Claude Agent SDK's order: hooks → deny → ask → mode → allow → canUseTool. Pure.
// A preset judges a tool by its annotations, never by a guess about its name.
import * as z from "zod";
import type { Tool } from "./tool.ts";

export const Permissions = z.object({
  /** Tools that run without being asked for, beside those of the preset; null for none. */
  allow: z.nullable(z.array(z.string())),
  /** Tools that a person is asked about each time. */
  ask: z.array(z.string()),
  /** Tools that are taken away. Wins over all others. */
  deny: z.array(z.string()),
  mode: z.enum(["default", "dontAsk", "bypassPermissions", "plan"]),
  preset: z.enum(["full_access", "read_only", "communication_only", "custom"]),
});
export type Permissions = Readonly<z.infer<typeof Permissions>>;

type Judged = Pick<Tool, "name" | "annotations">;

export interface PermissionQuestion {
  readonly permissions: Permissions;
  readonly tool: Judged;
  /** What the PreToolUse hooks said. */
  readonly hookDecision?: { readonly behavior: HookBehavior; readonly reason?: string } | undefined;
  /** Whether the agent's definition has a canUseTool. */
  readonly canUseTool?: boolean;
}

export interface PermissionDecision {
  /** `ask`: a person, or the job's policy, has to say yes. `canUseTool`: that function decides. */
  readonly behavior: "allow" | "deny" | "ask" | "canUseTool";
  /** Of a denial in words for the model, of a question in words for the person. */
  readonly reason: string;
  /** The step of the order that decided. */
  readonly by: "hook" | "deny" | "ask" | "mode" | "allow" | "canUseTool";
}

/** Whether a rule names a tool; `*` at its end stands for any rest. */
export function ruleFits(rule: string, name: string): boolean {
  return rule.endsWith("*") ? name.startsWith(rule.slice(0, -1)) : rule === name;
}

export function decidePermission({
  permissions,
  tool,
  hookDecision,
  canUseTool,
}: PermissionQuestion): PermissionDecision {
  const { name } = tool;
  const hook = hookDecision?.behavior;
  if (hook === "deny") {
    return { behavior: "deny", by: "hook", reason: hookDecision?.reason ?? `A hook denied the call of ${name}.` };
  }

  const taken = takenAway(permissions, tool);
  if (taken !== undefined) return { behavior: "deny", by: "deny", reason: taken };

  // A hook that defers leaves the call to whoever answers later, which is what a question waits for.
  const hookAsks = hook === "ask" || hook === "defer";
  if (hookAsks || names(permissions.ask, name)) {
    if (permissions.mode === "dontAsk") {
      const reason = `The tool ${name} needs an approval, and this agent asks nobody for one (its mode is dontAsk).`;
      return { behavior: "deny", by: "ask", reason };
    }
    const reason = hookAsks ? (hookDecision?.reason ?? "A hook asks for it.") : `The job asks about ${name} each time.`;
    return { behavior: "ask", by: hookAsks ? "hook" : "ask", reason };
  }
  if (hook === "allow") {
    return { behavior: "allow", by: "hook", reason: hookDecision?.reason ?? "A hook allowed it." };
  }

  const allowed = permissions.preset !== "custom" || names(permissions.allow, name);
  switch (permissions.mode) {
    case "bypassPermissions":
      return { behavior: "allow", by: "mode", reason: "The mode is bypassPermissions." };
    case "plan":
      if (tool.annotations.readOnly) break;
      return {
        behavior: "deny",
        by: "mode",
        reason: `The tool ${name} may change something, and this agent only makes plans: say what you would do with it instead.`,
      };
    case "dontAsk":
      if (allowed) break;
      return {
        behavior: "deny",
        by: "mode",
        reason: `The tool ${name} is not allowed in this job, and this agent asks nobody (its mode is dontAsk).`,
      };
    case "default":
      break;
  }

  if (allowed) return { behavior: "allow", by: "allow", reason: "The job allows it." };
  const reason = `No rule of the job allows ${name}.`;
  return { behavior: canUseTool ? "canUseTool" : "ask", by: "canUseTool", reason };
}

/** The tools that the model is shown: all but those that are taken away. */
export function offered<Offered extends Judged>(permissions: Permissions, tools: readonly Offered[]): Offered[] {
  return tools.filter((tool) => takenAway(permissions, tool) === undefined);
}

/**
 * Whether the model may be shown a tool that its own API runs. Nobody can be asked about such a call and no hook sees it, so
 * it is shown only where it would run unasked. It says nothing of itself: a preset that goes by annotations leaves it out.
 */
export function offeredUnasked(permissions: Permissions, name: string): boolean {
  const tool = { name, annotations: { readOnly: false, idempotent: false } };
  return decidePermission({ permissions, tool }).behavior === "allow";
}

/** Why the tool is not there, in words for the model; undefined when it is. */
function takenAway({ preset, allow, deny }: Permissions, { name, annotations }: Judged): string | undefined {
  if (names(deny, name)) return `The tool ${name} is denied in this job.`;
  if (names(allow, name)) return undefined;
  switch (preset) {
    case "read_only":
      return annotations.readOnly ? undefined : `The tool ${name} is not for this agent: it may change nothing.`;
    case "communication_only":
      return annotations.communication ? undefined : `The tool ${name} is not for this agent: it may only ask others.`;
    case "full_access":
    case "custom":
      return undefined;
  }
}

function names(rules: readonly string[] | null, name: string): boolean {
  return rules?.some((rule) => ruleFits(rule, name)) ?? false;
}

export type HookBehavior = "allow" | "deny" | "ask" | "defer";
