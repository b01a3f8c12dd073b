// The configurations of the control plane's process and of the offline model's, wherever they run.
import { objectBinding } from "#jobs/plan/bindings.ts";
import { ANY_NETWORK, type WorkerdBinding, type WorkerdConfig, type WorkerdSocket } from "../processes/capnp.ts";
import type { Outside } from "../processes/job-config.ts";

export const CONTROL_PLANE = "control-plane";
export const OFFLINE_MODEL = "offline-model";

interface Parts {
  /** Classes of the Durable Objects that the module exports. */
  readonly objects: readonly string[];
  /** Path of the module, relative to the configuration. */
  readonly module: string;
  /** Process variables that say how traces are kept and forwarded. */
  readonly settings: readonly string[];
  readonly sockets: readonly Omit<WorkerdSocket, "name" | "service">[];
  /** Absolute folder of the supervisor's facts about the machine. */
  readonly machine: string;
  /** Absolute folder of its Durable Objects. */
  readonly data: string;
  /** Where it serves one job alone: how it reaches each agent to probe it. Without this it probes any address. */
  readonly probes?: Probes;
}

export interface Probes {
  readonly job: string;
  /** By agent; null where it cannot be probed. */
  readonly ways: Readonly<Record<string, Outside | null>>;
}

export function controlPlaneConfig(parts: Parts): WorkerdConfig {
  const { objects, module, settings, sockets, machine, data, probes } = parts;
  const asked = Object.entries(probes?.ways ?? {}).flatMap(([id, way]) => (way === null ? [] : { id, way }));
  return {
    workers: [
      {
        name: CONTROL_PLANE,
        module,
        storage: { folder: data, classes: objects },
        bindings: [
          { name: "TROUPE_SECRET", kind: "environment", variable: "TROUPE_SECRET" },
          ...probeBindings(probes),
          { name: "COLLECTOR", kind: "service", service: ANY_NETWORK },
          { name: "MACHINE", kind: "service", service: "machine" },
          ...settings.map((name) => ({ name, kind: "environment" as const, variable: name })),
          ...objects.map((className) => ({
            name: objectBinding(className),
            kind: "object" as const,
            className,
          })),
        ],
      },
    ],
    folders: [{ name: "machine", folder: machine }],
    externals: asked.map(({ id, way }) => ({ name: probeService(id), ...way })),
    sockets: sockets.map((socket, index) => ({
      ...socket,
      name: index === 0 ? CONTROL_PLANE : `${CONTROL_PLANE}-${index}`,
      service: CONTROL_PLANE,
    })),
  };
}

function probeBindings(probes: Probes | undefined): WorkerdBinding[] {
  if (probes === undefined) return [{ name: "PROBE", kind: "service", service: ANY_NETWORK }];
  const names = Object.entries(probes.ways).map(([id, way]) => [id, way && probeBinding(id)] as const);
  return [
    { name: "PROBES", kind: "json", value: JSON.stringify({ [probes.job]: Object.fromEntries(names) }) },
    ...names.flatMap(([id, name]): WorkerdBinding[] =>
      name === null ? [] : [{ name, kind: "service", service: probeService(id) }],
    ),
  ];
}

function probeBinding(agent: string): string {
  return `PROBE_${agent.toUpperCase()}`;
}

function probeService(agent: string): string {
  return `probe:${agent}`;
}

/** A process of its own: a job's question to the model must not delay the registry of all jobs. */
export function offlineModelConfig(module: string, address: string): WorkerdConfig {
  return {
    workers: [{ name: OFFLINE_MODEL, module, bindings: [] }],
    externals: [],
    sockets: [{ name: OFFLINE_MODEL, address, service: OFFLINE_MODEL }],
  };
}
