// The ports of a job on hosts: those of the last release, and fresh ones where there are none. A trial has ports of its own.
import { ownAgents } from "#jobs/schema/remote.ts";
import type { Job } from "#jobs/schema/schema.ts";
import { CONTROL_PLANE } from "../local/control-plane/worker-configs.ts";
import { choosePorts } from "../local/processes/choose-ports.ts";
import { knownPorts } from "../local/processes/known-ports.ts";
import { freePorts } from "../local/processes/ports.ts";
import type { JobState } from "../local/state/state.ts";

export interface PlacePorts {
  /** Agent → its port on the loopback. */
  readonly agents: Readonly<Record<string, number>>;
  readonly controlPlanePort: number;
  /** Agent, or CONTROL_PLANE → the port that other machines ask. */
  readonly tlsPorts: Readonly<Record<string, number>>;
}

export async function choosePlacePorts(
  home: string,
  job: Job,
  last: JobState | undefined,
): Promise<{ readonly real: PlacePorts; readonly trial: PlacePorts }> {
  const agents = await choosePorts(job, last, true, async () => knownPorts(home));
  const own = ownAgents(job.agents).map(({ id }) => id);
  const askable = [...own, CONTROL_PLANE];
  const { port } = job.control_plane;
  const { controlPlanePort: lastPort = 0, tlsPorts: lastTlsPorts = {} } = last?.hosts ?? {};
  // The job file may give a port to one that another had until now.
  const named = new Set([...Object.values(agents), port]);
  const kept = (before: number | undefined) => (before === undefined || named.has(before) ? undefined : before);
  const taken = new Set([...named, lastPort, ...Object.values(lastTlsPorts)]);
  const fresh = await freePorts(askable.length * 2 + own.length + 2, taken);
  const next = () => fresh.pop() ?? 0;
  const each = (ids: readonly string[], portOf: (id: string) => number) =>
    Object.fromEntries(ids.map((id) => [id, portOf(id)]));
  return {
    real: {
      agents,
      controlPlanePort: port === 0 ? (kept(last?.hosts?.controlPlanePort) ?? next()) : port,
      tlsPorts: each(askable, (id) => kept(lastTlsPorts[id]) ?? next()),
    },
    trial: { agents: each(own, next), controlPlanePort: next(), tlsPorts: each(askable, next) },
  };
}
