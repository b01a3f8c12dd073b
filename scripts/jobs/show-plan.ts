// A plan in words and columns.
import { LOCAL, type Place, type Via } from "#jobs/placement/place.ts";
import { type Plan, type PlannedAgent, publicUrlOf, type Service } from "#jobs/plan/plan-shape.ts";
import { referencesIn } from "#jobs/schema/variables.ts";

import { table } from "../terminal/io.ts";
import { configOf, describePermissions } from "./show-permissions.ts";

/** Columns of the table of agents. */
const COLUMNS: readonly (readonly [head: string, cell: (agent: PlannedAgent) => string])[] = [
  ["id", ({ id }) => id],
  ["place", ({ place }) => place],
  ["Worker", ({ worker }) => worker],
  ["model", modelOf],
  ["port", portOf],
  ["secrets", (agent) => secretsOf(agent).join(", ") || "none"],
  ["bindings", bindingsOf],
];

const CARRIED: Readonly<Record<Via, string>> = {
  binding: "by a binding",
  loopback: "over the loopback",
  https: "over HTTPS",
  tunnel: "through ssh, only while this machine holds the tunnel",
};

export function describePlan(plan: Plan): string {
  const agents = table(
    plan.agents.map((agent) => COLUMNS.map(([, cell], at) => `${at === 0 ? "  " : ""}${cell(agent)}`)),
  );
  const permissions = describePermissions(plan.agents);
  const places = plan.places.map(({ id }) => id).join(", ");
  return `${plan.job} ${plan.version} on ${places}, topology ${plan.topology}, isolation ${plan.isolation}, model ${plan.provider}
${placesOf(plan)}
Agents (${COLUMNS.map(([head]) => head).join(", ")})
${agents}
${addressesOf(plan)}${remotesOf(plan)}${permissions === "" ? "" : `\nPermissions (agents that are not listed may use every tool)\n${permissions}\n`}
Edges     ${below(edgesOf(plan))}
Control   ${below(controlOf(plan))}
Entry     ${plan.entryPoint}
${describeProcesses(plan)}Order     ${plan.stages.map((stage) => stage.join(", ")).join(" → ")}
Secrets   ${plan.secrets.length === 0 ? "none" : plan.secrets.join(", ")}
Lease     ${plan.heartbeat.leaseMs / 1000} s (heartbeat every ${plan.heartbeat.intervalMs / 1000} s)`;
}

/** Nothing for a job on this machine alone. */
function placesOf({ places }: Plan): string {
  if (places.every(({ id }) => id === LOCAL.id)) return "";
  const rows = places.map((place) => [`  ${place.id}`, whatOf(place), reachedBy(place)]);
  return `\nPlaces (id, what it is, how other machines reach it)\n${table(rows)}\n`;
}

function whatOf({ kind, destination = "", port }: Place): string {
  if (kind === "local") return "this machine";
  return kind === "ssh" ? `ssh ${destination}${port === undefined ? "" : `, port ${port}`}` : "Workers of Cloudflare";
}

function reachedBy({ kind, address, expose }: Place): string {
  if (kind === "cloudflare") return CARRIED.https;
  if (expose === "tunnel") return CARRIED.tunnel;
  return address === undefined ? "not at all: it has no address" : `over HTTPS at ${address}`;
}

function edgesOf({ edges }: Plan): string[] {
  if (edges.length === 0) return ["none: agents find each other through the registry"];
  return [...Map.groupBy(edges, ({ via = "binding" }) => via)].map(
    ([via, carried]) => `${carried.map(({ from, to }) => `${from} → ${to}`).join(", ")}: ${CARRIED[via]}`,
  );
}

/** Where the control plane runs, how the agents reach it, and which it cannot call. */
function controlOf({ controlPlane: { place, port }, links }: Plan): string[] {
  const unprobed = links.filter(({ probe }) => probe === "unprobed").map(({ agent }) => agent);
  return [
    `on ${place}${port === undefined ? "" : `, port ${port}`}`,
    ...[...Map.groupBy(links, ({ toControlPlane }) => toControlPlane)].map(
      ([via, reaching]) => `${reaching.map(({ agent }) => agent).join(", ")}: ${CARRIED[via]}`,
    ),
    ...(unprobed.length === 0 ? [] : [`${unprobed.join(", ")}: unprobed, so heartbeats alone count`]),
  ];
}

/** Lines, all but the first indented to stand below it. */
function below(lines: readonly string[]): string {
  return lines.join(`\n${" ".repeat(10)}`);
}

/** Nothing where no agent is on Cloudflare. Before the account is asked, its subdomain stands as `your-account`. */
function addressesOf({ agents }: Plan): string {
  const rows = agents
    .filter(({ target }) => target === "cloudflare")
    .map((agent) => [`  ${agent.id}`, ...new Set([publicUrlOf(agent) ?? agent.url, agent.url])]);
  return rows.length === 0
    ? ""
    : `\nAddresses on Cloudflare (for people and programs, for the command line)\n${table(rows)}\n`;
}

function remotesOf({ remotes }: Plan): string {
  if (remotes.length === 0) return "";
  const rows = remotes.map(({ id, url, card }) => [
    `  ${id}`,
    url,
    card === undefined ? "its card is read at the deployment" : spoken(card),
  ]);
  return `\nRemote agents (id, card, what is spoken)\n${table(rows)}\n`;
}

function spoken({ interface: { binding, version }, key }: NonNullable<Plan["remotes"][number]["card"]>): string {
  return `A2A ${version} over ${binding}, ${key === undefined ? "not signed" : "signed"}`;
}

function describeProcesses({ isolation, agents }: Plan): string {
  // There each agent is a Worker of its own.
  if (agents.some(({ target }) => target === "cloudflare")) return "";
  if (agents.length === 1) return "Processes one\n";
  if (isolation === "agent") {
    return `Processes ${agents.length}, one for each agent: a tool that computes for long holds up its own agent only\n`;
  }
  const places = new Set(agents.map(({ place }) => place)).size;
  const which = places === 1 ? "one for all agents" : `${places}, one for all agents of a place`;
  return `Processes ${which}: a tool that computes for long holds up all of them (isolation: agent, only its own)\n`;
}

/** Names of the variables that the user has to set for an agent. */
export function secretsOf({ bindings }: PlannedAgent): string[] {
  const names = bindings.flatMap((binding) =>
    binding.type === "secret" && binding.source.from === "template" ? referencesIn(binding.source.template).names : [],
  );
  return [...new Set(names)];
}

function modelOf(agent: PlannedAgent): string {
  const { provider, name } = configOf(agent).model;
  return provider === name ? name : `${provider} ${name}`;
}

function portOf({ socket }: PlannedAgent): string {
  return socket.port === 0 ? "any" : String(socket.port);
}

function bindingsOf({ bindings, url }: PlannedAgent): string {
  return bindings
    .map((binding) =>
      binding.type === "service" ? `${binding.name} → ${serviceOf(binding.service, url)}` : binding.name,
    )
    .join(", ");
}

/** `self`: the agent's own address. */
function serviceOf(service: Service, self: string): string {
  switch (service.to) {
    case "agent":
      return service.agent;
    case "address":
      return service.origin === self ? "its own listener" : service.origin;
    case "network":
      return `${service.reach} network`;
    case "control-plane":
    case "offline-model":
      return service.to;
  }
}
