// The configurations of the control plane's process and of the offline model's, wherever they run.
import { objectBinding } from "#jobs/plan/bindings.ts";
import { probeBinding } from "#shared/control-plane/registry.ts";
import { ANY_NETWORK, type WorkerdConfig, type WorkerdExternal, type WorkerdSocket } from "../processes/capnp.ts";

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
  /** How agents on other machines are probed. */
  readonly probes?: readonly { readonly agent: string; readonly outside: Omit<WorkerdExternal, "name"> }[];
}

export function controlPlaneConfig({ objects, module, settings, sockets, machine, data, probes = [] }: Parts): WorkerdConfig {
  return {
    workers: [
      {
        name: CONTROL_PLANE,
        module,
        storage: { folder: data, classes: objects },
        bindings: [
          { name: "TROUPE_SECRET", kind: "environment", variable: "TROUPE_SECRET" },
          { name: "PROBE", kind: "service", service: ANY_NETWORK },
          ...probes.map(({ agent }) => ({ name: probeBinding(agent), kind: "service" as const, service: `probe:${agent}` })),
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
    externals: probes.map(({ agent, outside }) => ({ name: `probe:${agent}`, ...outside })),
    sockets: sockets.map((socket, index) => ({
      ...socket,
      name: index === 0 ? CONTROL_PLANE : `${CONTROL_PLANE}-${index}`,
      service: CONTROL_PLANE,
    })),
  };
}

/** A process of its own: a job's question to the model must not delay the registry of all jobs. */
export function offlineModelConfig(module: string, address: string): WorkerdConfig {
  return {
    workers: [{ name: OFFLINE_MODEL, module, bindings: [] }],
    externals: [],
    sockets: [{ name: OFFLINE_MODEL, address, service: OFFLINE_MODEL }],
  };
}
