// troupe plan: shows what a deployment would do, without doing it.
import { planJob } from "#jobs/plan.ts";
import type { Plan, PlannedAgent, Service } from "#jobs/plan-shape.ts";

import { buildWorkers } from "../build.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { checkAgents } from "../inspection/check-agents.ts";
import { printJson, step, table } from "../io.ts";
import { loadJobFile, mistakesError } from "../job-files.ts";
import { planEnvironment } from "../plan-environment.ts";
import { troupeHome } from "../project.ts";
import { configOf, describePermissions } from "../show-permissions.ts";
import { showBudgets } from "../show-budgets.ts";
import { readJobState } from "../targets/local/state.ts";

export default defineCommand({
  name: "plan",
  summary: "Show what deploying a job would make: Workers, bindings, ports, secrets, order",
  usage: "<job>",
  positionals: [1, 1],
  options: { json: JSON_OPTION },
  examples: ["troupe plan research-assistant"],

  async run({ positionals: [name = ""], options, io }) {
    const home = troupeHome();
    const loaded = await loadJobFile(name);
    const { job } = loaded;
    const built = await step(io, "Building the Workers", async () => buildWorkers(home));
    const mistakes = await checkAgents(home, loaded, built, io.signal);
    if (mistakes.length > 0) throw mistakesError(mistakes);
    const ports = (await readJobState(home, job.name))?.ports ?? {};
    const plan = planJob(job, planEnvironment(built.bundles, ports));
    if (options.json === true) printJson(io, plan);
    else io.print(`${describe(plan)}\n${showBudgets(job)}`);
  },
});

function describe(plan: Plan): string {
  const agents = table(
    plan.agents.map((agent) => [`  ${agent.id}`, agent.worker, modelOf(agent), portOf(agent), bindingsOf(agent)]),
  );
  const edges = plan.edges.map(({ from, to }) => `${from} → ${to}`).join(", ");
  const permissions = describePermissions(plan.agents);
  return `${plan.job} ${plan.version} on ${plan.target}, topology ${plan.topology}, isolation ${plan.isolation}, model ${plan.provider}

Agents (id, Worker, model, port, bindings)
${agents}
${permissions === "" ? "" : `\nPermissions (every tool where nothing is said)\n${permissions}\n`}
Edges     ${edges === "" ? "none: agents find each other through the registry" : edges}
Entry     ${plan.entryPoint}
Order     ${plan.stages.map((stage) => stage.join(", ")).join(" → ")}
Secrets   ${plan.secrets.length === 0 ? "none" : plan.secrets.join(", ")}
Lease     ${plan.heartbeat.leaseMs / 1000} s (heartbeat every ${plan.heartbeat.intervalMs / 1000} s)`;
}

function modelOf(agent: PlannedAgent): string {
  const { provider, name } = configOf(agent).model;
  return provider === name ? name : `${provider} ${name}`;
}

function portOf({ socket }: PlannedAgent): string {
  return socket.port === 0 ? "any" : String(socket.port);
}

function bindingsOf({ bindings }: PlannedAgent): string {
  return bindings
    .map((binding) => (binding.type === "service" ? `${binding.name} → ${serviceOf(binding.service)}` : binding.name))
    .join(", ");
}

function serviceOf(service: Service): string {
  switch (service.to) {
    case "agent":
      return service.agent;
    case "address":
      return service.origin;
    case "network":
      return `${service.reach} network`;
    case "control-plane":
    case "offline-model":
      return service.to;
  }
}
