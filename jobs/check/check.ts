// Checks a job for mistakes that a schema cannot find: names that do not exist or are used twice, cycles, ports,
// variables. Budgets, permissions and places have files of their own.
import { checkBudgets } from "./check-budgets.ts";
import { isConfigPart } from "#shared/agent/config.ts";
import { RESERVED_NAMES } from "../plan/bindings.ts";
import type { Mistake } from "../file/mistake.ts";
import { MAX_HEARTBEAT_MS, MIN_HEARTBEAT_MS } from "#shared/control-plane/registry.ts";
import { checkedDurationMs } from "#shared/text/duration.ts";
import { suggest } from "#shared/text/nearest.ts";
import type { PlacementChoice } from "../placement/place-agents.ts";
import { ownAgents } from "../schema/remote.ts";
import { type Job, workerOf } from "../schema/schema.ts";
import { checkAddresses } from "./check-addresses.ts";
import { checkPermissions } from "./check-permissions.ts";
import { checkPlacement } from "./check-placement.ts";
import { checkRemotes } from "./check-remotes.ts";
import { agentReferences } from "./references.ts";
import type { Path, Source } from "../file/source.ts";
import { edgesOfJob, entryPointOf, findCycle } from "../schema/topology.ts";
import { referencesIn } from "../schema/variables.ts";

/** Facts beyond the job file that the checks need. */
export interface Surroundings {
  /** Folders under workers/agents. */
  readonly workers: readonly string[];
  /** Names of the environment variables that are set. */
  readonly variables: ReadonlySet<string>;
  /** What the command line says about places. Where that is not known, no place is checked. */
  readonly placement?: PlacementChoice | "unknown" | undefined;
}

/** All mistakes of a job that fits the schema, in no particular order. */
export function checkJob(job: Job, source: Source, surroundings: Surroundings): Mistake[] {
  return [
    ...checkAgents(job, source, surroundings.workers),
    ...checkPermissions(job, source),
    ...checkTopology(job, source),
    ...checkAddresses(job, source, surroundings.placement),
    ...checkRemotes(job, source, surroundings.variables),
    ...checkHeartbeat(job, source),
    ...checkVariables(job, source, surroundings.variables),
    ...checkBudgets(job, source, surroundings.variables.has("ANTHROPIC_API_KEY")),
    ...(surroundings.placement === "unknown" ? [] : checkPlacement(job, source, surroundings.placement)),
  ];
}

function checkAgents(job: Job, source: Source, workers: readonly string[]): Mistake[] {
  const mistakes: Mistake[] = [];
  const ids = new Set<string>();
  const ports = new Map<number, string>();
  for (const [index, agent] of job.agents.entries()) {
    if (ids.has(agent.id)) {
      mistakes.push(
        source.mistake(
          ["agents", index, "id"],
          `the id "${agent.id}" is used twice`,
          "Give each agent an id of its own.",
        ),
      );
    }
    ids.add(agent.id);
    if (agent.remote !== undefined) continue;
    const worker = workerOf(agent);
    if (!workers.includes(worker)) {
      const at: Path = ["agents", index, agent.worker === undefined ? "id" : "worker"];
      const message = `unknown worker "${worker}": there is no folder workers/agents/${worker}`;
      mistakes.push(source.mistake(at, message, suggest(worker, workers)));
    }
    const other = ports.get(agent.port);
    if (agent.port !== 0 && other !== undefined) {
      const message = `port ${agent.port} is taken by the agent "${other}"`;
      mistakes.push(source.mistake(["agents", index, "port"], message, PORT_HINT));
    }
    ports.set(agent.port, agent.id);
  }
  return mistakes;
}

/** An agent is known by its port, wherever it runs. */
const PORT_HINT = "Use another port, or 0 for any free one. Ports differ over a whole job, also between hosts.";

/** The registry refuses agents with another interval, and they would never be alive. */
function checkHeartbeat({ heartbeat }: Job, source: Source): Mistake[] {
  if (heartbeat.interval === undefined) return [];
  const intervalMs = checkedDurationMs(heartbeat.interval);
  if (intervalMs >= MIN_HEARTBEAT_MS && intervalMs <= MAX_HEARTBEAT_MS) return [];
  return [source.mistake(["heartbeat", "interval"], "a heartbeat interval must be from 100ms to 1h", "Such as 5s.")];
}

function checkTopology(job: Job, source: Source): Mistake[] {
  const ids = [...new Set(job.agents.map((agent) => agent.id))];
  const mistakes: Mistake[] = [];
  const references = agentReferences(job.topology);
  const entry = job.execution.entry_point;
  const all = entry === undefined ? references : [...references, { id: entry, path: ["execution", "entry_point"] }];
  for (const { id, path, at } of all) {
    if (ids.includes(id)) continue;
    mistakes.push(source.mistake(path, `there is no agent "${id}"`, suggest(id, ids), at));
  }
  for (const { id, path } of references.filter((reference) => reference.repeated === true)) {
    mistakes.push(source.mistake(path, `the agent "${id}" has a place in this topology already`, "Name it once."));
  }
  mistakes.push(...checkLevels(job, source));
  if (mistakes.length > 0 || ownAgents(job.agents).length === 0) return mistakes;

  const edges = edgesOfJob(job);
  if (job.topology.type === "dag") {
    const cycle = findCycle(edges);
    if (cycle !== undefined) {
      const last = edges.findIndex(({ from, to }) => from === cycle.at(-2) && to === cycle.at(-1));
      const message = `a dag must not hold a cycle: ${cycle.join(" → ")}`;
      mistakes.push(source.mistake(["topology", "connections", last], message, "Remove one of these connections."));
      return mistakes;
    }
  }
  const entryPoint = entryPointOf(job);
  if (entryPoint === undefined) {
    const message = "it is not clear which agent takes the questions";
    const hint = `Name it: execution: { entry_point: ${ownAgents(job.agents)[0]?.id ?? "…"} }.`;
    return [source.mistake(["topology", "type"], message, hint, "key")];
  }
  if (job.topology.type === "dynamic") return mistakes;
  const connected = new Set([entryPoint, ...edges.flatMap(({ from, to }) => [from, to])]);
  for (const [index, { id }] of job.agents.entries()) {
    if (connected.has(id)) continue;
    const message = `the agent "${id}" has no place in the topology`;
    mistakes.push(source.mistake(["agents", index, "id"], message, "Connect it, or remove it."));
  }
  return mistakes;
}

/** A parent in a level of a hierarchy must be an agent of the level above. */
function checkLevels({ topology }: Job, source: Source): Mistake[] {
  if (topology.type !== "hierarchical") return [];
  let above = [topology.root];
  return topology.levels.flatMap((level, index) => {
    const parents = Array.isArray(level) ? [] : Object.keys(level);
    const strangers = parents.filter((parent) => !above.includes(parent));
    const names = above;
    above = Array.isArray(level) ? level : Object.values(level).flat();
    return strangers.map((parent) =>
      source.mistake(
        ["topology", "levels", index, parent],
        `the agent "${parent}" is not in the level above`,
        suggest(parent, names),
        "key",
      ),
    );
  });
}

function checkVariables(job: Job, source: Source, variables: ReadonlySet<string>): Mistake[] {
  const places: { readonly path: Path; readonly values: Readonly<Record<string, string>> }[] = [
    { path: ["environment"], values: job.environment },
    ...job.agents.map((agent, index) => ({ path: ["agents", index, "env"], values: agent.env })),
  ];
  const mistakes = places.flatMap(({ path, values }) =>
    Object.entries(values).flatMap(([name, value]) => {
      const { names, malformed } = referencesIn(value);
      const reserved =
        RESERVED_NAMES.has(name) ||
        isConfigPart(name) ||
        name.startsWith("PEER_") ||
        name.startsWith("REACH_") ||
        name.startsWith("REMOTE_TOKEN_");
      return [
        ...(reserved
          ? [source.mistake([...path, name], `the name ${name} is reserved for Troupe`, "Choose another name.", "key")]
          : []),
        ...malformed.map((inner) =>
          source.mistake(
            [...path, name],
            `\${${inner}} is not a variable`,
            "Write one name between the braces, such as ${API_KEY}.",
          ),
        ),
        ...names
          .filter((variable) => !variables.has(variable))
          .map((variable) =>
            source.mistake([...path, name], `the variable ${variable} is not set`, unset(variable, variables)),
          ),
      ];
    }),
  );
  for (const [index, agent] of job.agents.entries()) {
    for (const { path, value } of strings(agent.config, ["agents", index, "config"])) {
      if (referencesIn(value).names.length === 0) continue;
      const message = "${…} is not read under config, which is stored in plain text";
      mistakes.push(source.mistake(path, message, "Put it under env."));
    }
  }
  return mistakes;
}

function unset(variable: string, variables: ReadonlySet<string>): string {
  // Only a near name helps: the list of all variables would fill the screen.
  const near = suggest(variable, variables);
  return near.startsWith("Did") ? near : `Set it before you deploy: export ${variable}=…`;
}

function strings(value: unknown, path: Path): { readonly path: Path; readonly value: string }[] {
  if (typeof value === "string") return [{ path, value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => strings(item, [...path, index]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => strings(item, [...path, key]));
}
