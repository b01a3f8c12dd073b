// A plan → the configuration of each workerd that runs it: one for all agents, or one for each agent.
import { BINDING_PROPS } from "#shared/http/gate.ts";
import type { Binding, Plan, PlannedAgent, Service } from "#jobs/plan/plan-shape.ts";

import {
  ANY_NETWORK,
  PUBLIC_NETWORK,
  type WorkerdBinding,
  type WorkerdConfig,
  type WorkerdExternal,
  type WorkerdSocket,
} from "./capnp.ts";
import { JOB_PROCESS } from "../state/layout.ts";

/** How a service outside of the process is reached. */
export type Outside = Omit<WorkerdExternal, "name">;

export interface Surroundings {
  /** The control plane, as an agent reaches it. */
  controlPlane(agent: string): Outside;
  readonly model: Outside;
  /** An agent of another process, as an agent of this one reaches it. */
  peer(from: string, to: PlannedAgent): Outside;
  /** Listeners for other machines, beside that of the loopback. */
  readonly sockets?: readonly Omit<WorkerdSocket, "service">[];
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

/** The configuration of one process. What its agents reach outside of it becomes HTTP services. */
export function configOf(plan: Plan, process: JobProcess, surroundings: Surroundings): WorkerdConfig {
  const inside = new Set(process.agents.map((agent) => agent.id));
  const externals = new Map<string, WorkerdExternal>();
  const serviceOf = (from: string, service: Service): string => {
    const outside = outsideOf(plan, { from, service, inside }, surroundings);
    if (outside === undefined) return serviceName(service);
    // Over TLS an agent shows a certificate of its own.
    const name = outside.peer === undefined ? serviceName(service) : `${serviceName(service)}:${from}`;
    externals.set(name, { name, ...outside });
    return name;
  };
  const workers = process.agents.map((agent) => {
    const classes = agent.bindings.flatMap((item) => (item.type === "object" ? [item.className] : []));
    return {
      name: agentService(agent.id),
      module: surroundings.module(agent.worker),
      bindings: [
        ...agent.bindings.map((item) => toWorkerd(item, inside, (service) => serviceOf(agent.id, service))),
        MACHINE_BINDING,
      ],
      ...(classes.length > 0 ? { storage: { folder: surroundings.dataFolder(agent.id), classes } } : {}),
    };
  });
  return {
    workers,
    folders: [{ name: MACHINE, folder: surroundings.machine }],
    externals: [...externals.values()],
    sockets: [
      ...(surroundings.sockets ?? []).map((socket) => ({ ...socket, service: agentService(socket.name) })),
      ...process.agents.map(({ id, socket }) => ({
        name: id,
        address: `${socket.host}:${socket.port}`,
        service: agentService(id),
      })),
    ],
  };
}

interface Use {
  readonly from: string;
  readonly service: Service;
  readonly inside: ReadonlySet<string>;
}

/** Undefined for what is inside of the process. */
function outsideOf(plan: Plan, { from, service, inside }: Use, surroundings: Surroundings): Outside | undefined {
  switch (service.to) {
    case "control-plane":
      return surroundings.controlPlane(from);
    case "offline-model":
      return surroundings.model;
    case "address":
      return addressOf(service.origin);
    case "agent": {
      const to = plan.agents.find(({ id }) => id === service.agent);
      return to === undefined || inside.has(to.id) ? undefined : surroundings.peer(from, to);
    }
    case "network":
      return undefined;
  }
}

/** A process of the same machine, which serves this port. */
export function onLoopback(port: number): Outside {
  return { address: `127.0.0.1:${port}` };
}

/** A foreign server gets requests under its own host name. */
function addressOf(origin: string): Outside {
  const { protocol, hostname, port } = new URL(origin);
  const secure = protocol === "https:";
  const address = `${hostname}:${port || (secure ? "443" : "80")}`;
  return { address, foreign: secure ? { certificateHost: hostname } : {} };
}

function addressService(origin: string): string {
  return `address:${origin}`;
}

/** `inside`: agents of the same process, whose gates accept requests over a binding. */
function toWorkerd(
  item: Binding,
  inside: ReadonlySet<string>,
  serviceOf: (service: Service) => string,
): WorkerdBinding {
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
        service: serviceOf(item.service),
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
