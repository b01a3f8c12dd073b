// A plan → what runs at one of its places: a workerd for its agents (or one for each), one for the control plane and one for the offline
// model, each with its configuration and its environment. Pure.
import type { Plan, PlannedAgent } from "#jobs/plan/plan-shape.ts";
import type { Link, Place } from "#jobs/placement/place.ts";
import { type WorkerdConfig, type WorkerdSocket, UNIX } from "../../local/processes/capnp.ts";
import {
  CONTROL_PLANE,
  controlPlaneConfig,
  OFFLINE_MODEL,
  offlineModelConfig,
  type Probes,
} from "../../local/control-plane/worker-configs.ts";
import { configOf, onLoopback, type Outside, processesOf } from "../../local/processes/job-config.ts";
import { type JobSecrets, secretValues } from "../../local/state/secrets.ts";
import { agentCertificateName, controlPlaneCertificateName } from "../keys/names.ts";
import { isTunnelled, socketOf } from "../tunnels/forwards.ts";

export interface HostProcess {
  /** An agent's id, that of the process of all agents, or CONTROL_PLANE or OFFLINE_MODEL. */
  readonly name: string;
  readonly agents: readonly PlannedAgent[];
  readonly config: WorkerdConfig;
  /** Process variable → its value, or the file on the host that holds it. */
  readonly environment: Readonly<Record<string, { readonly value: string } | { readonly file: string }>>;
}

/** What the processes of a place need to know beside the plan. */
export interface HostFacts {
  /** The job's folder on the host, absolute. */
  readonly folder: string;
  /** Path of a Worker's module, relative to the folder of the release. */
  module(worker: string): string;
  /** Classes of the Durable Objects of the control plane. */
  readonly controlPlaneObjects: readonly string[];
  readonly controlPlanePort: number;
  /** Its number. */
  readonly release: number;
  readonly secrets: JobSecrets;
  /** The secret of the job's control plane. */
  readonly controlPlaneSecret: string;
  /** Process variables that say how traces are kept and forwarded. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Files of a release, beside its configurations. */
export const AUTHORITY_FILE = "ca.pem";
export function certificateFile(name: string): string {
  return `${name}.pem`;
}
export function httpsCertificateFile(agent: string): string {
  return `https.${agent}.pem`;
}
/** Beside the files of secrets of a release. */
export function httpsKeyFile(agent: string): string {
  return `https.${agent}.key`;
}

/** Those whose keys are made at a place: its agents, and the control plane where it runs there. */
export function keyHolders(plan: Plan, place: Place): string[] {
  const agents = plan.agents.filter((agent) => agent.place === place.id).map(({ id }) => id);
  return plan.controlPlane.place === place.id ? [...agents, CONTROL_PLANE] : agents;
}

/** The name in the certificate of a key holder. */
export function certificateName(plan: Plan, holder: string): string {
  return holder === CONTROL_PLANE ? controlPlaneCertificateName(plan.job) : agentCertificateName(plan.job, holder);
}

/** In the order in which they are started. */
export function hostProcesses(plan: Plan, place: Place, facts: HostFacts): HostProcess[] {
  const here = plan.agents.filter((agent) => agent.place === place.id);
  const needsModel = here.some(({ bindings }) =>
    bindings.some((item) => item.type === "service" && item.service.to === "offline-model"),
  );
  return [
    ...(plan.controlPlane.place === place.id ? [controlPlane(plan, facts)] : []),
    ...(needsModel ? [model(facts)] : []),
    ...agentProcesses(plan, here, place, facts),
  ];
}

function controlPlane(plan: Plan, facts: HostFacts): HostProcess {
  const { tlsPort } = plan.controlPlane;
  const config = controlPlaneConfig({
    objects: facts.controlPlaneObjects,
    module: facts.module(CONTROL_PLANE),
    settings: Object.keys(facts.settings),
    sockets: [
      { address: `127.0.0.1:${facts.controlPlanePort}` },
      ...(tlsPort === undefined ? [] : [{ address: anyAddress(tlsPort), tls: tlsOf(CONTROL_PLANE) }]),
    ],
    machine: machineFolder(facts, CONTROL_PLANE),
    data: `${facts.folder}/data/${CONTROL_PLANE}`,
    probes: probesOf(plan),
  });
  const values = { ...facts.settings, TROUPE_SECRET: facts.controlPlaneSecret };
  return { name: CONTROL_PLANE, agents: [], config, environment: valuesOf(values) };
}

/** Whether the control plane asks the agent for its health. */
export function isProbed(link: Link | undefined): boolean {
  return link !== undefined && link.probe !== "unprobed";
}

/** The addresses that agents register are true on their own machines alone. */
function probesOf(plan: Plan): Probes {
  const ways = plan.links.map((link) => {
    const { agent: id } = link;
    const agent = plan.agents.find((candidate) => candidate.id === id);
    if (agent === undefined || !isProbed(link)) return [id, null] as const;
    return [id, toAgent(plan, plan.controlPlane.place, CONTROL_PLANE, agent)] as const;
  });
  return { job: plan.job, ways: Object.fromEntries(ways) };
}

function model(facts: HostFacts): HostProcess {
  const config = offlineModelConfig(facts.module(OFFLINE_MODEL), MODEL_SOCKET);
  return { name: OFFLINE_MODEL, agents: [], config, environment: {} };
}

/** Other people have accounts on a host. This socket lies in a folder that only its owner may enter. */
const MODEL_SOCKET = `${UNIX}processes/${OFFLINE_MODEL}/socket`;

function agentProcesses(plan: Plan, here: readonly PlannedAgent[], place: Place, facts: HostFacts): HostProcess[] {
  if (here.length === 0) return [];
  return processesOf({ ...plan, agents: [...here] }).map((process) => {
    const config = configOf(plan, process, {
      controlPlane: (agent) => toControlPlane(plan, place, agent, facts),
      model: { address: MODEL_SOCKET },
      peer: (from, to) => toAgent(plan, place.id, from, to),
      sockets: process.agents.flatMap((agent) => [...machineSocket(agent), ...httpsSocket(agent, facts)]),
      module: (worker) => facts.module(worker),
      machine: machineFolder(facts, process.name),
      dataFolder: (agent) => `${facts.folder}/data/${agent}`,
    });
    const issuer = { job: plan.job, controlPlane: facts.controlPlaneSecret };
    return { ...process, config, environment: environmentOf(process.agents, facts, issuer) };
  });
}

/** For people, with a certificate that the job file names. */
function httpsSocket({ id, https }: PlannedAgent, { release }: HostFacts): Omit<WorkerdSocket, "service">[] {
  if (https === undefined) return [];
  const keyPair = {
    privateKeyFile: `../../secrets/${release}/${httpsKeyFile(id)}`,
    certificateFile: httpsCertificateFile(id),
  };
  return [{ name: id, address: anyAddress(https.port), tls: { keyPair } }];
}

/** For agents on other machines. */
function machineSocket({ id, tlsPort }: PlannedAgent): Omit<WorkerdSocket, "service">[] {
  return tlsPort === undefined ? [] : [{ name: id, address: anyAddress(tlsPort), tls: tlsOf(id) }];
}

function toControlPlane(plan: Plan, place: Place, agent: string, { controlPlanePort }: HostFacts): Outside {
  const { place: where, tlsPort = 0 } = plan.controlPlane;
  if (where === place.id) return onLoopback(controlPlanePort);
  if (isTunnelled(plan, place.id, where)) return throughTunnel(controlPlanePort);
  return overTls(plan, agent, {
    name: controlPlaneCertificateName(plan.job),
    address: `${addressOf(plan, where)}:${tlsPort}`,
    port: controlPlanePort,
  });
}

function toAgent(plan: Plan, place: string, from: string, to: PlannedAgent): Outside {
  if (to.place === place) return onLoopback(to.socket.port);
  if (isTunnelled(plan, place, to.place)) return throughTunnel(to.socket.port);
  return overTls(plan, from, {
    name: agentCertificateName(plan.job, to.id),
    address: `${addressOf(plan, to.place)}:${to.tlsPort ?? 0}`,
    port: to.socket.port,
  });
}

/** ssh encrypts what goes through, and the folder of the socket is its owner's alone. */
function throughTunnel(port: number): Outside {
  return { address: UNIX + socketOf(port) };
}

interface Far {
  readonly name: string;
  readonly address: string;
  /** By which the listener knows itself. */
  readonly port: number;
}

function overTls(plan: Plan, from: string, { name, address, port }: Far): Outside {
  const edge = { keyPair: keyPairOf(from), ca: AUTHORITY_FILE, certificateHost: name, host: `127.0.0.1:${port}` };
  return { address, peer: edge };
}

function addressOf(plan: Plan, id: string): string {
  const address = plan.places.find((place) => place.id === id)?.address ?? "";
  return address.includes(":") ? `[${address}]` : address;
}

/** All addresses of the machine, IPv4 and IPv6. */
function anyAddress(port: number): string {
  return `*:${port}`;
}

function tlsOf(holder: string): NonNullable<WorkerdSocket["tls"]> {
  return { keyPair: keyPairOf(holder), clientCa: AUTHORITY_FILE };
}

/** Relative to the folder of the release. */
function keyPairOf(holder: string) {
  return { privateKeyFile: `../../keys/${holder}/tls.pem`, certificateFile: certificateFile(holder) };
}

function machineFolder({ folder }: HostFacts, process: string): string {
  return `${folder}/processes/${process}/machine`;
}

function environmentOf(
  agents: readonly PlannedAgent[],
  { folder, secrets }: HostFacts,
  issuer: { readonly job: string; readonly controlPlane: string },
): HostProcess["environment"] {
  const environment: Record<string, { readonly value: string } | { readonly file: string }> = {};
  for (const { id, bindings } of agents) {
    const sent = bindings.filter((item) => item.type !== "secret" || !MADE_THERE.has(item.source.from));
    Object.assign(environment, valuesOf(secretValues([{ bindings: sent }], secrets, issuer)));
    for (const item of bindings) {
      if (item.type !== "secret") continue;
      const file = MADE_THERE.get(item.source.from);
      if (file !== undefined) environment[item.variable] = { file: `${folder}/keys/${id}/${file}` };
    }
  }
  return environment;
}

/** Secrets that the host makes, and that never leave it → their files. */
const MADE_THERE: ReadonlyMap<string, string> = new Map([
  ["signing-key", "signing"],
  ["agent-key", "key"],
]);

function valuesOf(values: Readonly<Record<string, string>>): HostProcess["environment"] {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}
