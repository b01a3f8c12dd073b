// The permissions of a plan's agents in words, where they differ from the default: every tool runs unasked.
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
  dontAsk: "asks nobody and denies instead (dontAsk)",
  bypassPermissions: "tools that no rule names run unasked (bypassPermissions)",
  plan: "makes plans: runs no tool unasked that may change something (plan)",
};

/**
 * The indented section of `troupe plan`; agents with the same permissions share a line. Empty where all agents have the
 * default and no policy.
 */
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

/** The configuration of a planned agent. */
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
    return oneLine(`approval policy: ${decision === "allow" ? "allows" : "denies"} ${tool}${where}`);
  });
}

function rules(names: readonly string[]): string {
  return oneLine(names.join(", "));
}
