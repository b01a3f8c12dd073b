// What the agents of a plan may do, in words: only what differs from the default, which is that every tool runs unasked.
import { AgentConfig } from "#shared/agent/config.ts";
import type { PlannedAgent } from "#jobs/plan/plan-shape.ts";
import { table } from "../terminal/io.ts";
import { oneLine } from "../terminal/terminal-text.ts";

type Permissions = AgentConfig["permissions"];
type Approvals = AgentConfig["approvals"];

const PRESETS: Readonly<Record<Permissions["preset"], string>> = {
  full_access: "every tool",
  read_only: "only tools that change nothing (read_only)",
  communication_only: "only tools for asking other agents (communication_only)",
  custom: "asks about every tool that is not allowed (custom)",
};

const MODES: Readonly<Record<Permissions["mode"], string | undefined>> = {
  default: undefined,
  dontAsk: "asks nobody: what it would ask about is denied (dontAsk)",
  bypassPermissions: "what no rule names runs unasked (bypassPermissions)",
  plan: "makes plans: runs nothing unasked that may change something (plan)",
};

/** The section of `troupe plan`, indented, agents that may do the same on one line; empty where every agent may do everything and no approval is prepared. */
export function describePermissions(agents: readonly PlannedAgent[]): string {
  const idsOf = new Map<string, string[]>();
  for (const agent of agents) {
    const { permissions, approvals } = configOf(agent);
    const words = [...permissionWords(permissions), ...approvalWords(approvals)].join("\n");
    if (words !== "") idsOf.set(words, [...(idsOf.get(words) ?? []), agent.id]);
  }
  const rows = [...idsOf].flatMap(([words, ids]) =>
    words.split("\n").map((line, index) => [`  ${index === 0 ? ids.join(", ") : ""}`, line]),
  );
  return table(rows);
}

/** What a planned agent is told. */
export function configOf({ bindings }: PlannedAgent): AgentConfig {
  const binding = bindings.find(({ type, name }) => type === "json" && name === "AGENT");
  return AgentConfig.parse(binding?.type === "json" ? binding.value : undefined);
}

function permissionWords({ preset, mode, allow, ask, deny }: Permissions): string[] {
  const allowed = preset === "full_access" ? [] : (allow ?? []);
  const usual = preset === "full_access" && mode === "default" && ask.length === 0 && deny.length === 0;
  if (usual) return [];
  return [
    [
      PRESETS[preset],
      MODES[mode],
      allowed.length === 0 ? undefined : `allows ${rules(allowed)}`,
      ask.length === 0 ? undefined : `asks about ${rules(ask)}`,
      deny.length === 0 ? undefined : `never ${rules(deny)}`,
    ]
      .filter((part) => part !== undefined)
      .join("; "),
  ];
}

function approvalWords({ policy }: Approvals): string[] {
  return policy.map(({ tool, input, decision }) => {
    const fields = Object.entries(input ?? {}).map(([field, texts]) => {
      const shown = texts.map((text) => JSON.stringify(text)).join(" or ");
      return `${field} is ${shown}`;
    });
    const where = fields.length === 0 ? "" : ` where ${fields.join(" and ")}`;
    return oneLine(`approval: ${decision === "allow" ? "yes" : "no"} to ${tool}${where}`);
  });
}

function rules(names: readonly string[]): string {
  return oneLine(names.join(", "));
}
