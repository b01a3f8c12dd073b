// The bindings in the `env` of an agent's Worker: configuration, peers along the topology's edges, objects, secrets by
// name. An agent reaches nothing else.
import type { AgentConfig, RemotePeer } from "#shared/agent/config.ts";
import { COMMAND_LINE } from "#shared/a2a/peer-token.ts";
import { cardAddress } from "#shared/a2a/remote/card.ts";
import type { Limits } from "#shared/budget/limits.ts";

import { addressesIn, reachBinding } from "#shared/http/reach.ts";
import { checkedDurationMs } from "#shared/text/duration.ts";
import { placeAgents } from "../placement/place-agents.ts";
import type { Place, PlaceKind } from "../placement/place.ts";
import { resolveModel } from "../schema/model.ts";
import { routeOf } from "./cloudflare.ts";
import { heartbeatMs } from "./heartbeat.ts";
import { type Binding, type PlanEnvironment, publicUrlOf, type Service } from "./plan-shape.ts";
import { isLoopback, remoteAgents } from "../schema/remote.ts";
import { type Agent, type Job, workerOf } from "../schema/schema.ts";
import { type Edge, edgesOfJob } from "../schema/topology.ts";
import { referencesIn } from "../schema/variables.ts";

interface Surroundings {
  /** The agent's own public origin. */
  readonly url: string;
  /** Where it runs. */
  readonly kind: PlaceKind;
  /** Whether all of the job runs on this machine. */
  readonly isLocal: boolean;
  /** Between heartbeats. */
  readonly intervalMs: number;
  /** Edges that begin at the agent. */
  readonly edges: readonly Edge[];
  /** Agents that may ask this one. */
  readonly callers: readonly string[];
  readonly environment: PlanEnvironment;
}

/** Names of Troupe's own bindings, which a job's variables may not take. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  "AGENT",
  "CONTROL_PLANE",
  "MACHINE",
  "MODEL",
  "NETWORK",
  "TROUPE_KEY",
  "TROUPE_SIGNING_KEY",
  "TROUPE_TOKEN",
  "SELF",
  "SESSION",
  "SESSION_FILES",
  "SESSION_INDEX",
  "BEACON",
]);

/** Tells an agent's first request which sessions the process before it left at work. */
const SESSION_FILES: Binding = { type: "object-files", name: "SESSION_FILES", className: "Session" };

/** The name of the binding to a peer. */
function peerBinding(id: string): string {
  return `PEER_${id.toUpperCase()}`;
}

/** The name of the binding of a Durable Object class: `SessionIndex` → `SESSION_INDEX`. */
export function objectBinding(className: string): string {
  return className.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toUpperCase();
}

/** All bindings of one agent, names unique. */
export function agentBindings(job: Job, agent: Agent, surroundings: Surroundings): Binding[] {
  const { environment } = surroundings;
  const config = configOf(job, agent, surroundings);
  const { model, peers } = config;
  const dynamic = config.topology === "dynamic";
  const own = variables(job, agent, model.provider === "anthropic");
  const anywhere: Service = { to: "network", reach: "any" };
  const all: Binding[] = [
    { type: "json", name: "AGENT", value: config },
    ownKey(agent, surroundings.kind),
    {
      type: "secret",
      name: "TROUPE_SIGNING_KEY",
      // Agents of one process have keys of their own.
      variable: `TROUPE_SIGNING_KEY__${agent.id.toUpperCase()}`,
      source: { from: "signing-key", agent: agent.id },
    },
    {
      type: "secret",
      name: "TROUPE_TOKEN",
      variable: `TROUPE_TOKEN__${agent.id.toUpperCase()}`,
      source: { from: "agent-token", agent: agent.id },
    },
    service("CONTROL_PLANE", { to: "control-plane" }),
    service("MODEL", model.provider === "offline" ? { to: "offline-model" } : anywhere),
    ...(dynamic ? [service("NETWORK", anywhere)] : []),
    ...addressesIn([agent.config, job.push.allow]).map((origin) =>
      service(reachBinding(origin), { to: "address", origin }),
    ),
    ...peers.map(({ id, binding, remote }) =>
      service(
        binding,
        remote === undefined ? { to: "agent", agent: id } : { to: "address", origin: new URL(remote.card).origin },
      ),
    ),
    ...peers.flatMap(({ id, remote }) => tokenOf(job, agent, id, remote)),
    ...(environment.objects[workerOf(agent)] ?? []).map((className): Binding => ({
      type: "object",
      name: objectBinding(className),
      className,
    })),
    // On other targets no process starts: there each turn has an alarm.
    ...(surroundings.kind !== "cloudflare"
      ? [SESSION_FILES, service("SELF", { to: "address", origin: surroundings.url })]
      : []),
    ...own,
  ];
  // There a Worker's own fetch is the network.
  return surroundings.kind === "cloudflare" ? all.filter((binding) => !isNetwork(binding)) : all;
}

function isNetwork(binding: Binding): boolean {
  return binding.type === "service" && ["network", "address"].includes(binding.service.to);
}

/** For ids of tasks and approvals. On a host of others' accounts no two agents share it. */
function ownKey({ id }: Agent, kind: PlaceKind): Binding {
  const name = "TROUPE_KEY";
  if (kind !== "ssh") return { type: "secret", name, variable: name, source: { from: "job-key" } };
  const variable = `${name}__${id.toUpperCase()}`;
  return { type: "secret", name, variable, source: { from: "agent-key", agent: id } };
}

/** The configuration of each agent, with a stand-in for its address: for the check of a job that may still hold mistakes. */
export function agentConfigs(job: Job, environment: PlanEnvironment): AgentConfig[] {
  const edges = Map.groupBy(edgesOfJob(job), ({ from }) => from);
  const { places, agents } = placeAgents(job, environment.placement);
  const isLocal = isLocalAlone(places);
  const intervalMs = heartbeatMs(job, places);
  const kinds = new Map(places.map(({ id, kind }) => [id, kind]));
  return job.agents.map((agent) =>
    configOf(job, agent, {
      url: "http://127.0.0.1",
      kind: kinds.get(agents[agent.id] ?? "") ?? "local",
      isLocal,
      intervalMs,
      edges: edges.get(agent.id) ?? [],
      callers: [],
      environment,
    }),
  );
}

/** Whether these are no places but this machine. */
export function isLocalAlone(places: readonly Pick<Place, "kind">[]): boolean {
  return places.every(({ kind }) => kind === "local");
}

function configOf(job: Job, agent: Agent, surroundings: Surroundings): AgentConfig {
  const { url, kind, isLocal, intervalMs, edges, callers, environment } = surroundings;
  const model = resolveModel(job.model, agent.model, environment);
  const dynamic = job.topology.type === "dynamic";
  const remotes = new Map(remoteAgents(job.agents).map((remote) => [remote.id, remote]));
  const asked = dynamic ? foundAgents(job, agent, isLocal) : edges.map(({ to }) => to);
  const peers = asked.map((id) => {
    const remote = remotes.get(id);
    const binding = peerBinding(id);
    if (remote !== undefined) return { id, binding, remote: remotePeer(remote, environment) };
    const key = environment.publicKeys?.[id];
    return { id, binding, ...(key === undefined ? {} : { key }) };
  });
  const own = variables(job, agent, model.provider === "anthropic");
  const publicUrl = publicUrlOf({ https: agent.https, route: routeOf(agent) });
  return {
    ...(agent.name === undefined ? {} : { name: agent.name }),
    ...(agent.description === undefined ? {} : { description: agent.description }),
    job: job.name,
    id: agent.id,
    url,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    model,
    permissions: permissionsOf(agent),
    approvals: approvalsOf(job, agent.id),
    budget: {
      ...limitsOf(agent.budget),
      maxTurns: agent.budget.max_turns,
      maxWallMs: checkedDurationMs(agent.budget.max_wall_time),
    },
    queryBudget: job.budget === undefined ? null : limitsOf(job.budget),
    turnsAtOnce: agent.turns_at_once,
    cors: job.cors,
    topology: dynamic ? "dynamic" : "static",
    peers,
    // Whatever others can reach asks for keys: on a host others have accounts, and other machines reach an agent by the same address.
    accounts:
      isLocal || environment.developmentOrigin !== undefined
        ? (job.accounts ?? (isLoopback(new URL(url)) && agent.https === undefined ? "optional" : "required"))
        : "required",
    callers: [...new Set([...callers, agent.id, COMMAND_LINE])].flatMap((id) => {
      const key = environment.publicKeys?.[id];
      return key === undefined ? [] : { id, key };
    }),
    tracing: {
      enabled: job.tracing,
      content: job.content ?? (kind === "local" ? "redacted" : "none"),
    },
    pushAllow: addressesIn(job.push.allow),
    ...(job.sessions.expire === undefined ? {} : { sessionExpireMs: checkedDurationMs(job.sessions.expire) }),
    secrets: [
      ...own.filter(({ type }) => type === "secret").map(({ name }) => name),
      ...peers.flatMap(({ remote }) => remote?.token ?? []),
    ],
    heartbeat: { intervalMs },
    config: agent.config,
  };
}

/**
 * Those whom an agent of a dynamic topology reaches by bindings. The registry does not know remote agents, and the addresses that it knows are
 * true on one machine alone.
 */
function foundAgents({ agents }: Job, { id }: Agent, isLocal: boolean): string[] {
  return agents.filter((other) => other.id !== id && (other.remote !== undefined || !isLocal)).map((other) => other.id);
}

function remotePeer(
  { id, remote, auth }: Agent & { readonly remote: string },
  { remotes }: PlanEnvironment,
): RemotePeer {
  const said = remotes?.[id];
  return {
    card: cardAddress(remote),
    ...(said === undefined ? {} : { said }),
    ...(auth === undefined ? {} : { token: `REMOTE_TOKEN_${id.toUpperCase()}` }),
  };
}

/** The token for a remote agent, a secret of whoever asks it. */
function tokenOf({ agents }: Job, { id: asker }: Agent, id: string, remote: RemotePeer | undefined): Binding[] {
  const { auth } = agents.find((agent) => agent.id === id) ?? {};
  if (remote?.token === undefined || auth === undefined) return [];
  const variable = `${asker.toUpperCase()}__${remote.token}`;
  return [{ type: "secret", name: remote.token, variable, source: { from: "template", template: auth } }];
}

/** The permissions in an agent's configuration. */
export function permissionsOf({ permissions }: Agent): AgentConfig["permissions"] {
  const { allow, ask, deny, mode } = permissions;
  const preset = permissions.preset ?? (allow ? "custom" : "full_access");
  return { preset, mode, allow: allow ?? null, ask, deny };
}

function approvalsOf({ approvals }: Job, id: string): AgentConfig["approvals"] {
  const policy = approvals.policy
    .filter(({ agent }) => agent === undefined || agent === id)
    .map(({ tool, input, decision }) => ({
      tool,
      decision,
      ...(input && {
        input: Object.fromEntries(Object.entries(input).map(([field, texts]) => [field, [texts].flat().map(String)])),
      }),
    }));
  return { expiresMs: checkedDurationMs(approvals.expires), policy };
}

function limitsOf(budget: NonNullable<Job["budget"]>): Limits {
  const { max_turns, max_tokens, max_usd, max_wall_time, max_tool_calls } = budget;
  return {
    ...(max_turns === undefined ? {} : { maxTurns: max_turns }),
    ...(max_tokens === undefined ? {} : { maxTokens: max_tokens }),
    ...(max_usd === undefined ? {} : { maxUsd: max_usd }),
    ...(max_wall_time === undefined ? {} : { maxWallMs: checkedDurationMs(max_wall_time) }),
    ...(max_tool_calls === undefined ? {} : { maxToolCalls: max_tool_calls }),
  };
}

function service(name: string, to: Service): Binding {
  return { type: "service", name, service: to };
}

function variables(job: Job, agent: Agent, needsKey: boolean): Binding[] {
  const key = needsKey ? { ANTHROPIC_API_KEY: "${ANTHROPIC_API_KEY}" } : {};
  return Object.entries({ ...key, ...job.environment, ...agent.env }).map(([name, value]): Binding => {
    if (referencesIn(value).names.length === 0) return { type: "text", name, value };
    // Agents of one process may use the same name for different values.
    const variable = `${agent.id.toUpperCase()}__${name}`;
    return { type: "secret", name, variable, source: { from: "template", template: value } };
  });
}
