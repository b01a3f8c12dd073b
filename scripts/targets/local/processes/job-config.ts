// A plan → the configuration of each workerd that runs it: one for all agents, or one for each agent.
import { BINDING_PROPS } from "#shared/http/gate.ts";
import type { Binding, Plan, PlannedAgent, Service } from "#jobs/plan/plan-shape.ts";

import { ANY_NETWORK, PUBLIC_NETWORK, type WorkerdBinding, type WorkerdConfig } from "./capnp.ts";
import { JOB_PROCESS } from "../state/layout.ts";

export interface Surroundings {
  readonly controlPlanePort: number;
  readonly modelPort: number;
  /** Path of a Worker's module, relative to the configuration, with forward slashes. */
  module(worker: string): string;
  /** Absolute folder of the supervisor's facts about the machine. */
  readonly machine: string;
  /** Absolute folder of an agent's Durable Objects. */
  dataFolder(agent: string): string;
}

export interface JobProcess {
  /** An agent's id, or that of the process of all agents. */
  readonly name: string;
  readonly agents: readonly PlannedAgent[];
}

const CONTROL_PLANE = "control-plane";
const OFFLINE_MODEL = "offline-model";

const MACHINE = "machine";
/** Serves the supervisor's facts about the machine: see shared/http/free-disk.ts. */
const MACHINE_BINDING: WorkerdBinding = { name: "MACHINE", kind: "service", service: MACHINE };

/** The processes of a plan, in the order of its agents. */
export function processesOf(plan: Plan): JobProcess[] {
  if (plan.isolation === "job") return [{ name: JOB_PROCESS, agents: plan.agents }];
  return plan.agents.map((agent) => ({ name: agent.id, agents: [agent] }));
}

/** The configuration of one process; peers in other processes become HTTP services at their sockets. */
export function configOf(plan: Plan, process: JobProcess, surroundings: Surroundings): WorkerdConfig {
  const inside = new Set(process.agents.map((agent) => agent.id));
  const outside = plan.agents.filter(
    (agent) => !inside.has(agent.id) && plan.edges.some(({ from, to }) => inside.has(from) && to === agent.id),
  );
  return {
    workers: process.agents.map((agent) => {
      const classes = agent.bindings.flatMap((item) => (item.type === "object" ? [item.className] : []));
      return {
        name: agentService(agent.id),
        module: surroundings.module(agent.worker),
        bindings: [...agent.bindings.map((item) => toWorkerd(item, inside)), MACHINE_BINDING],
        ...(classes.length > 0 ? { storage: { folder: surroundings.dataFolder(agent.id), classes } } : {}),
      };
    }),
    folders: [{ name: MACHINE, folder: surroundings.machine }],
    externals: [
      { name: CONTROL_PLANE, address: `127.0.0.1:${surroundings.controlPlanePort}` },
      { name: OFFLINE_MODEL, address: `127.0.0.1:${surroundings.modelPort}` },
      ...outside.map(({ id, socket }) => ({ name: agentService(id), address: `${socket.host}:${socket.port}` })),
      ...originsOf(process).map(addressOf),
    ],
    sockets: process.agents.map(({ id, socket }) => ({
      name: id,
      address: `${socket.host}:${socket.port}`,
      service: agentService(id),
    })),
  };
}

function originsOf({ agents }: JobProcess): string[] {
  const services = agents.flatMap(({ bindings }) =>
    bindings.flatMap((item) => (item.type === "service" ? item.service : [])),
  );
  return [...new Set(services.flatMap((service) => (service.to === "address" ? service.origin : [])))];
}

/** A foreign server gets requests under its own host name. */
function addressOf(origin: string): WorkerdConfig["externals"][number] {
  const { protocol, hostname, port } = new URL(origin);
  const secure = protocol === "https:";
  const address = `${hostname}:${port || (secure ? "443" : "80")}`;
  return { name: addressService(origin), address, foreign: secure ? { certificateHost: hostname } : {} };
}

function addressService(origin: string): string {
  return `address:${origin}`;
}

/** `inside`: agents of the same process, whose gates accept requests over a binding. */
function toWorkerd(item: Binding, inside: ReadonlySet<string>): WorkerdBinding {
  switch (item.type) {
    case "json":
      return { name: item.name, kind: "json", value: JSON.stringify(item.value) };
    case "text":
      return { name: item.name, kind: "text", value: item.value };
    case "secret":
      return { name: item.name, kind: "environment", variable: item.variable };
    case "object":
    case "object-files":
      return { name: item.name, kind: item.type, className: item.className };
    case "service":
      return {
        name: item.name,
        kind: "service",
        service: serviceName(item.service),
        ...(item.service.to === "agent" && inside.has(item.service.agent) ? { props: BINDING_PROPS } : {}),
      };
  }
}

function serviceName(service: Service): string {
  switch (service.to) {
    case "agent":
      return agentService(service.agent);
    case "control-plane":
      return CONTROL_PLANE;
    case "offline-model":
      return OFFLINE_MODEL;
    case "network":
      return service.reach === "public" ? PUBLIC_NETWORK : ANY_NETWORK;
    case "address":
      return addressService(service.origin);
  }
}

function agentService(id: string): string {
  // Part of folder names too, where Windows allows no colon.
  return `agent-${id}`;
}
