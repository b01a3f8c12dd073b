// A plan in words and columns.
import type { Plan, PlannedAgent, Service } from "#jobs/plan/plan-shape.ts";

import { table } from "../terminal/io.ts";
import { configOf, describePermissions } from "./show-permissions.ts";

export function describePlan(plan: Plan): string {
  const agents = table(
    plan.agents.map((agent) => [`  ${agent.id}`, agent.worker, modelOf(agent), portOf(agent), bindingsOf(agent)]),
  );
  const edges = plan.edges.map(({ from, to }) => `${from} → ${to}`).join(", ");
  const permissions = describePermissions(plan.agents);
  return `${plan.job} ${plan.version} on ${plan.places.map(({ id }) => id).join(", ")}, topology ${plan.topology}, isolation ${plan.isolation}, model ${plan.provider}

Agents (id, Worker, model, port, bindings)
${agents}
${remotesOf(plan)}${permissions === "" ? "" : `\nPermissions (agents that are not listed may use every tool)\n${permissions}\n`}
Edges     ${edges === "" ? "none: agents find each other through the registry" : edges}
Entry     ${plan.entryPoint}
${describeProcesses(plan)}Order     ${plan.stages.map((stage) => stage.join(", ")).join(" → ")}
Secrets   ${plan.secrets.length === 0 ? "none" : plan.secrets.join(", ")}
Lease     ${plan.heartbeat.leaseMs / 1000} s (heartbeat every ${plan.heartbeat.intervalMs / 1000} s)`;
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
  // Elsewhere each agent is a Worker of its own.
  if (agents.some(({ target }) => target !== "local")) return "";
  if (agents.length === 1) return "Processes one\n";
  return isolation === "agent"
    ? `Processes ${agents.length}, one for each agent: a tool that computes for long holds up its own agent only\n`
    : "Processes one for all agents: a tool that computes for long holds up all of them (isolation: agent, only its own)\n";
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
