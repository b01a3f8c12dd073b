// Finds matchers of hooks that match nothing: such a guard never runs.
import type { BaseHookInput } from "../../loop/hooks/input.ts";
import { matcherNames, type HookCallbackMatcher } from "../../loop/hooks/matcher.ts";
import { nearest, suggest } from "../../text/nearest.ts";
import type { AgentConfig } from "../config.ts";
import type { AgentDefinition } from "../definition.ts";
import { flaw, type Flaw } from "./report.ts";

const TOOL_EVENTS: ReadonlySet<string> = new Set([
  "PreToolUse",
  "PostToolUse",
  "PostToolUseFailure",
  "PermissionRequest",
  "PermissionDenied",
]);
/** Tools of every agent that has peers. A definition may guard them also in jobs where it has none. */
const PEER_TOOLS = ["find_agents", "query_agent"];
const AGENT_TYPE = "agent_type" satisfies keyof BaseHookInput;

/** The names that a matcher can match: `all` of them, or those that are known. */
interface Subjects {
  readonly what: string;
  readonly names: readonly string[];
  readonly all: boolean;
}

const SUBJECTS: Readonly<Record<string, Subjects>> = {
  SessionStart: { what: "source", names: ["startup", "resume", "clear", "compact", "fork"], all: true },
  SessionEnd: { what: "reason", names: ["clear", "resume", "logout", "prompt_input_exit", "other"], all: true },
  PreCompact: { what: "trigger", names: ["auto", "manual"], all: true },
  PostCompact: { what: "trigger", names: ["auto", "manual"], all: true },
  Notification: { what: "notification_type", names: ["permission_prompt"], all: true },
  StopFailure: {
    what: "error",
    names: [
      "authentication_failed",
      "billing_error",
      "rate_limit",
      "overloaded",
      "invalid_request",
      "model_not_found",
      "server_error",
      "max_output_tokens",
      "unknown",
    ],
    all: true,
  },
};

/** `tools`: names of the agent's tools in this job. No hook sees a call that the API runs itself. */
export function unmatchedHooks(definition: AgentDefinition, config: AgentConfig, tools: readonly string[]): Flaw[] {
  return Object.entries(definition.hooks ?? {}).flatMap(([event, matchers]) => {
    const subjects = subjectsOf(event, definition, config, tools);
    if (subjects === undefined || !Array.isArray(matchers)) return [];
    return matchers.flatMap(({ matcher }: HookCallbackMatcher) => {
      if (typeof matcher !== "string" || matcher === "" || matcher === "*") return [];
      return matcherFlaws(event, matcher, subjects);
    });
  });
}

function subjectsOf(
  event: string,
  { tools: own }: AgentDefinition,
  { peers, topology }: AgentConfig,
  tools: readonly string[],
): Subjects | undefined {
  // Where settings choose the tools, another job may have others: then only a name that looks misspelt is a flaw.
  const all = typeof own !== "function";
  if (TOOL_EVENTS.has(event)) return { what: "tool", names: [...new Set([...tools, ...PEER_TOOLS])], all };
  if (event === "SubagentStart" || event === "SubagentStop") {
    return topology === "dynamic" ? undefined : { what: AGENT_TYPE, names: peers.map(({ id }) => id), all: false };
  }
  return Object.hasOwn(SUBJECTS, event) ? SUBJECTS[event] : undefined;
}

function matcherFlaws(event: string, matcher: string, { what, names, all }: Subjects): Flaw[] {
  const listed = matcherNames(matcher);
  if (listed !== undefined) {
    return listed
      .filter((name) => !names.includes(name) && (all || nearest(name, names) !== undefined))
      .map((name) =>
        flaw(`a ${event} hook waits for the ${what} "${name}", which never comes`, suggest(name, names), matcher),
      );
  }
  const pattern = patternOf(matcher);
  if (!all || pattern === undefined || names.some((name) => pattern.test(name))) return [];
  return [
    flaw(`the ${event} matcher ${JSON.stringify(matcher)} fits no ${what}`, `There is: ${names.join(", ")}.`, matcher),
  ];
}

/** Undefined for an invalid expression, which is a flaw of its own. */
function patternOf(matcher: string): RegExp | undefined {
  try {
    return new RegExp(matcher);
  } catch {
    return undefined;
  }
}
