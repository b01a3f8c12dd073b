// Checks a job's rules and settings against the tools and settings of its agents: a rule that names no tool guards
// nothing. scripts/inspection reads the facts from the agents' code.
import type { AgentReport, InspectedTool } from "#shared/agent/inspection/report.ts";
import { globFits } from "#shared/loop/tools/policy.ts";
import { decidePermission, offered, ruleFits } from "#shared/loop/tools/permissions.ts";
import { nearest } from "#shared/text/nearest.ts";

import { objectBinding, permissionsOf, RESERVED_NAMES } from "../plan/bindings.ts";
import type { Mistake } from "../file/mistake.ts";
import type { Agent, Job } from "../schema/schema.ts";
import type { Path, Source } from "../file/source.ts";

/** A report for each agent, in the job's order; undefined where none could be made. */
export type Reports = readonly (AgentReport | undefined)[];

export function checkTools(job: Job, source: Source, reports: Reports): Mistake[] {
  return [
    ...job.agents.flatMap((agent, index) => checkAgent(agent, index, source, reports[index])),
    ...checkPolicy(job, source, reports),
  ];
}

/**
 * Mistakes for variables with the name of an agent's own Durable Object. `objects`: the classes of each agent's Worker,
 * in the job's order.
 */
export function checkTakenNames(job: Job, source: Source, objects: readonly (readonly string[])[]): Mistake[] {
  return job.agents.flatMap(({ id, env }, index) => {
    const taken = new Map((objects[index] ?? []).map((className) => [objectBinding(className), className]));
    const places: [name: string, path: Path][] = [
      ...Object.keys(job.environment).map((name): [string, Path] => [name, ["environment", name]]),
      ...Object.keys(env).map((name): [string, Path] => [name, ["agents", index, "env", name]]),
    ];
    return places
      .filter(([name]) => taken.has(name) && !RESERVED_NAMES.has(name))
      .map(([name, path]) => {
        const message = `the variable ${name} would replace the object ${taken.get(name)} of the agent ${id}`;
        return source.mistake(path, message, "Choose another name.", "key");
      });
  });
}

function checkAgent(agent: Agent, index: number, source: Source, report: AgentReport | undefined): Mistake[] {
  if (report === undefined) return [];
  const settings = report.config.map(({ path, at, message, hint }) =>
    source.mistake(["agents", index, "config", ...path], `${agent.id}: ${message}`, hint, at),
  );
  const { tools } = report;
  if (tools === null) return settings;
  const rules = (["allow", "ask", "deny"] as const).flatMap((list) =>
    (agent.permissions[list] ?? []).flatMap((rule, place) =>
      unknownTool(rule, agent.id, tools, (message, hint) =>
        source.mistake(["agents", index, "permissions", list, place], message, hint),
      ),
    ),
  );
  return [...settings, ...rules];
}

function unknownTool(
  rule: string,
  owner: string,
  tools: readonly InspectedTool[],
  mistake: (message: string, hint: string) => Mistake,
): Mistake[] {
  if (tools.some(({ name }) => ruleFits(rule, name))) return [];
  const names = [...new Set(tools.map(({ name }) => name))];
  const message = rule.endsWith("*") ? `${owner} has no tool that "${rule}" fits` : `${owner} has no tool "${rule}"`;
  return [mistake(message, nearestRule(rule, names))];
}

function nearestRule(rule: string, names: readonly string[]): string {
  if (names.length === 0) return "It has no tools. Remove the rule.";
  const prefix = rule.endsWith("*") ? rule.slice(0, -1) : undefined;
  const beginnings = prefix === undefined ? names : names.map((name) => name.slice(0, prefix.length));
  const near = nearest(prefix ?? rule, beginnings);
  if (near !== undefined) return `Did you mean "${near}${prefix === undefined ? "" : "*"}"?`;
  return `There is: ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}.`;
}

interface Judged {
  readonly agent: Agent;
  readonly report: AgentReport;
  readonly tools: readonly InspectedTool[];
}

function checkPolicy({ agents, approvals }: Job, source: Source, reports: Reports): Mistake[] {
  return approvals.policy.flatMap((rule, index) => {
    const meant = agents.flatMap((agent, at) => {
      const report = reports[at];
      const isMeant = agent.remote === undefined && (rule.agent === undefined || rule.agent === agent.id);
      return isMeant ? [{ agent, report }] : [];
    });
    const judged = meant.flatMap(({ agent, report }): Judged[] => {
      const tools = report?.tools ?? undefined;
      return report === undefined || tools === undefined ? [] : [{ agent, report, tools }];
    });
    // An agent without a report may have the tool. An unknown agent is a mistake already.
    if (judged.length < meant.length || judged.length === 0) return [];
    const path: Path = ["approvals", "policy", index];
    const tools = judged.flatMap((one) => one.tools);
    const owner = rule.agent ?? "the job";
    const unknown = unknownTool(rule.tool, owner, tools, (message, hint) =>
      source.mistake([...path, "tool"], message, hint),
    );
    if (unknown.length > 0) return unknown;
    if (!judged.some((one) => one.tools.some((tool) => ruleFits(rule.tool, tool.name) && mayBeAsked(one, tool)))) {
      const message = `this rule never applies: nobody is asked about "${rule.tool}"`;
      return [source.mistake([...path, "tool"], message, "Put it under permissions.ask of its agent.")];
    }
    const fitting = tools.filter(({ name }) => ruleFits(rule.tool, name));
    return Object.entries(rule.input ?? {}).flatMap(([field, texts]) => {
      const at = [...path, "input", field];
      const unknownField = checkField(field, fitting, at, source);
      return unknownField.length > 0
        ? unknownField
        : checkTexts(field, [texts].flat().map(String), fitting, at, source);
    });
  });
}

/** Whether a call of the tool may need an approval, which the policy can answer. */
function mayBeAsked({ agent, report }: Judged, tool: InspectedTool): boolean {
  const permissions = permissionsOf(agent);
  if (tool.server || offered(permissions, [tool]).length === 0) return false;
  const { behavior } = decidePermission({
    permissions,
    tool,
    canUseTool: report.hasCanUseTool,
    hookDecision: report.hooksMayAsk ? { behavior: "ask" } : undefined,
  });
  return behavior === "ask";
}

/** A rule about a field that no tool has never applies. */
function checkField(field: string, tools: readonly InspectedTool[], path: Path, source: Source): Mistake[] {
  if (tools.some(({ fields }) => fields === null || (fields[field] ?? false) !== false)) return [];
  const names = [...new Set(tools.map(({ name }) => name))].join(", ");
  const known = [...new Set(tools.flatMap(({ fields }) => Object.keys(fields ?? {})))];
  if (known.includes(field)) {
    const message = `"${field}" of ${names} is a list or a mapping, and matches no text`;
    return [source.mistake(path, message, "Remove the field, or let a person decide.", "key")];
  }
  const hint = nearestRule(field, known);
  return [source.mistake(path, `the input of ${names} has no field "${field}"`, hint, "key")];
}

/** Where a field has a fixed set of values, such as the ids of peers, a pattern that fits none is a mistake. */
function checkTexts(
  field: string,
  patterns: readonly string[],
  tools: readonly InspectedTool[],
  path: Path,
  source: Source,
): Mistake[] {
  const kinds = tools.map(({ fields }) => (fields === null ? true : (fields[field] ?? [])));
  const lists = kinds.filter((kind) => typeof kind !== "boolean");
  if (lists.length < kinds.length) return [];
  const known = [...new Set(lists.flat())];
  return patterns
    .filter((pattern) => !known.some((text) => globFits(pattern, text)))
    .map((pattern) => source.mistake(path, `"${field}" is never "${pattern}"`, nearestRule(pattern, known)));
}
