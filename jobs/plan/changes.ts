// What a deployment would change, agent by agent: a plan compared with the one that is deployed.
import { canonical } from "#shared/text/canonical-json.ts";

import { isSamePlace, type Place, placeIn, type Via } from "../placement/place.ts";
import { RESERVED_NAMES } from "./bindings.ts";
import type { Plan, PlannedAgent } from "./plan-shape.ts";

/** A plan, and the code that it runs. */
export interface Version {
  readonly plan: Plan;
  /** Worker → SHA-256 of its module. A Worker that is left out is not compared. */
  readonly code: Readonly<Record<string, string>>;
}

export interface AgentChange {
  readonly id: string;
  readonly change: "create" | "update" | "unchanged" | "remove";
  /** What differs, in words; empty unless it is an update. */
  readonly differs: readonly string[];
  /** Its code is not known, now or then, so it may differ. */
  readonly codeIsUnknown?: true;
  /** Id of the place where it runs now and no longer will. Its sessions stay there. */
  readonly leaves?: string;
}

export interface Changes {
  /** In the order of the plan, then those that are removed. */
  readonly agents: readonly AgentChange[];
  /** What differs for the job as a whole, in words. */
  readonly job: readonly string[];
  /** Id of the place where the control plane runs now and no longer will. Traces, budgets and keys stay there. */
  readonly controlPlaneLeaves?: string;
}

/** Setting in an agent's configuration → what the user calls it. */
const SETTINGS: Readonly<Record<string, string>> = {
  queryBudget: "budget of a query",
  turnsAtOnce: "turns_at_once",
  peers: "peers or their keys",
  publicUrl: "public address",
  callers: "callers or their keys",
  pushAllow: "push.allow",
  sessionExpireMs: "sessions.expire",
};
/** Other words tell these. */
const TOLD: ReadonlySet<string> = new Set(["job", "id", "url", "secrets"]);

/** Without `before`, all is new. Values of secrets and contents of documents are not compared. */
export function changesBetween(before: Version | undefined, after: Version): Changes {
  const { plan } = after;
  if (before === undefined) {
    return { agents: plan.agents.map(({ id }) => ({ id, change: "create", differs: [] })), job: [] };
  }
  const former = new Map(before.plan.agents.map((agent) => [agent.id, agent]));
  const agents = plan.agents.map((agent): AgentChange => {
    const old = former.get(agent.id);
    if (old === undefined) return { id: agent.id, change: "create", differs: [] };
    const differs = differences({ ...before, agent: old }, { ...after, agent });
    const leaves = isSamePlace(placeOf(before.plan, old.place), placeOf(plan, agent.place))
      ? {}
      : { leaves: old.place };
    const change = differs.length === 0 ? "unchanged" : "update";
    const isKnown = before.code[old.worker] !== undefined && after.code[agent.worker] !== undefined;
    return { id: agent.id, change, differs, ...(isKnown ? {} : { codeIsUnknown: true }), ...leaves };
  });
  const ids = new Set(plan.agents.map(({ id }) => id));
  const removed = before.plan.agents.flatMap(({ id, place }): AgentChange[] =>
    ids.has(id) ? [] : [{ id, change: "remove", differs: [], leaves: place }],
  );
  const [from, to] = [before.plan, plan].map((one) => placeOf(one, one.controlPlane.place));
  const isMoved = from !== undefined && to !== undefined && !isSamePlace(from, to);
  return {
    agents: [...agents, ...removed],
    job: jobDifferences(before.plan, plan),
    ...(isMoved ? { controlPlaneLeaves: from.id } : {}),
  };
}

interface Planned extends Version {
  readonly agent: PlannedAgent;
}

function differences(before: Planned, after: Planned): string[] {
  const [old, own] = [before.agent, after.agent];
  const [from, to] = [placeOf(before.plan, old.place), placeOf(after.plan, own.place)];
  const words = [
    ...codeDifference(before, after),
    ...(isSamePlace(from, to) ? [] : [`place ${nameOf(from, to)} → ${nameOf(to, from)}`]),
    ...(old.socket.port === own.socket.port ? [] : [`port ${old.socket.port} → ${own.socket.port || "any free one"}`]),
    ...(old.tlsPort === own.tlsPort ? [] : ["port for other machines"]),
    ...settingsDifferences(old, own),
    ...(isSame(old.corpus, own.corpus) ? [] : ["documents"]),
    ...wayDifferences(before, after),
  ];
  if (words.length > 0 || isSame(othersOf(old), othersOf(own))) return words;
  return ["bindings"];
}

function codeDifference(before: Planned, after: Planned): string[] {
  const [old, own] = [before.agent.worker, after.agent.worker];
  if (old !== own) return [`Worker ${old} → ${own}`];
  const [was, is] = [before.code[old], after.code[own]];
  return was === undefined || is === undefined || was === is ? [] : ["code"];
}

function settingsDifferences(old: PlannedAgent, own: PlannedAgent): string[] {
  const settings = changedKeys(settingsOf(old), settingsOf(own)).filter((name) => !TOLD.has(name));
  const variables = changedKeys(variablesOf(old), variablesOf(own));
  return [
    ...settings.map((name) => (Object.hasOwn(SETTINGS, name) ? (SETTINGS[name] ?? name) : name)),
    ...(variables.length === 0 ? [] : [`env ${variables.join(", ")}`]),
  ];
}

/** How requests leave the agent, where it asked the same before. */
function wayDifferences(before: Planned, after: Planned): string[] {
  const { id } = after.agent;
  const peers = after.plan.edges.flatMap((edge) => {
    const old = before.plan.edges.find(({ from, to }) => from === id && to === edge.to);
    if (edge.from !== id || old === undefined) return [];
    const [was, is] = [wayTo(before.plan, old), wayTo(after.plan, edge)];
    return was === undefined || isSame(was, is) ? [] : [`the way to ${edge.to}`];
  });
  const [was, is] = [before.plan, after.plan].map((plan) => wayToControlPlane(plan, id));
  return was === undefined || isSame(was, is) ? peers : [...peers, "the way to the control plane"];
}

/** Undefined in older releases. */
function wayTo(plan: Plan, { to, via }: Plan["edges"][number]) {
  return via && way(plan, via, plan.agents.find(({ id }) => id === to)?.place);
}

function wayToControlPlane(plan: Plan, agent: string) {
  const via = plan.links.find((link) => link.agent === agent)?.toControlPlane;
  return via && way(plan, via, plan.controlPlane.place);
}

function way(plan: Plan, via: Via, place: string | undefined) {
  return { via, address: via === "https" && place !== undefined ? placeOf(plan, place).address : undefined };
}

function jobDifferences(old: Plan, own: Plan): string[] {
  const ofJob = ({ version, description, topology, isolation, restart, ...plan }: Plan) => ({
    version,
    description,
    topology,
    isolation,
    "entry point": plan.entryPoint,
    restart,
    workers_dev: plan.cloudflare?.workersDev,
    "health check": plan.health,
    "port of the control plane": plan.controlPlane.port,
    "form of the stored data": plan.dataVersion,
  });
  const isOfSameAgents = isSame(old.stages.flat().toSorted(), own.stages.flat().toSorted());
  const isOrdered = !isOfSameAgents || isSame(old.stages, own.stages);
  return [...changedKeys(ofJob(old), ofJob(own)), ...(isOrdered ? [] : ["order of the start"])];
}

function settingsOf({ bindings }: PlannedAgent): Readonly<Record<string, unknown>> {
  const value = bindings.find(({ type, name }) => type === "json" && name === "AGENT");
  return value?.type === "json" && typeof value.value === "object" ? { ...value.value } : {};
}

/** Those of the user, as templates. */
function variablesOf({ bindings }: PlannedAgent): Readonly<Record<string, unknown>> {
  return Object.fromEntries(bindings.filter(isVariable).map((binding) => [binding.name, binding]));
}

function isVariable({ type, name }: PlannedAgent["bindings"][number]): boolean {
  return (type === "text" || type === "secret") && !RESERVED_NAMES.has(name);
}

/** What neither code, port, settings nor variables tell. */
function othersOf({ bindings }: PlannedAgent): unknown {
  return bindings.filter(
    (binding) =>
      !isVariable(binding) && !["json", "object", "object-files"].includes(binding.type) && binding.name !== "SELF",
  );
}

function changedKeys(old: Readonly<Record<string, unknown>>, own: Readonly<Record<string, unknown>>): string[] {
  return [...new Set([...Object.keys(old), ...Object.keys(own)])].filter((key) => !isSame(old[key], own[key]));
}

function placeOf({ places }: Plan, id: string): Place {
  return placeIn(places, id);
}

/** The id, or what ssh is given where the other place has the same id. */
function nameOf({ id, destination = id, port }: Place, other: Place): string {
  return id === other.id ? `${destination}${port === undefined ? "" : ` (port ${port})`}` : id;
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && canonical(a) === canonical(b));
}
