// Chooses a port for each agent: the one that the job names, else the former one, else any free one.
import { ownAgents } from "#jobs/schema/remote.ts";
import type { Job } from "#jobs/schema/schema.ts";

import { CliError } from "../../../terminal/cli-error.ts";
import { freePorts, isTaken } from "./ports.ts";
import type { JobState } from "../state/state.ts";

/**
 * Agent → port. While the job runs, its own ports count as free. A port that is chosen freely is none of `known`, which is asked only then. Throws CliError
 * when another program uses a port that the job names.
 */
export async function choosePorts(
  job: Pick<Job, "agents"> & Partial<Pick<Job, "control_plane">>,
  last: Pick<JobState, "ports"> | undefined,
  runs: boolean,
  known: () => Promise<ReadonlySet<number>> = async () => new Set(),
): Promise<Record<string, number>> {
  const own = new Set(runs ? Object.values(last?.ports ?? {}) : []);
  const usable = async (port: number): Promise<boolean> => own.has(port) || !(await isTaken(port));
  const chosen: Record<string, number> = {};
  const agents = ownAgents(job.agents);
  const named = new Set([...agents.map(({ port }) => port), job.control_plane?.port ?? 0]);
  const open: string[] = [];
  for (const { id, port } of agents) {
    const before = last?.ports[id];
    if (port !== 0) {
      if (!(await usable(port))) {
        throw new CliError(
          "failed",
          `Port ${port} of the agent ${id} is in use by another program.`,
          "End that program, or give the agent another port (0: any free one).",
        );
      }
      chosen[id] = port;
    } else if (before !== undefined && !named.has(before) && (await usable(before))) {
      chosen[id] = before;
    } else {
      open.push(id);
    }
  }
  const others = open.length === 0 ? [] : await known();
  const fresh = await freePorts(open.length, new Set([...others, ...named, ...Object.values(chosen)]));
  for (const [index, id] of open.entries()) chosen[id] = fresh[index] ?? 0;
  return chosen;
}
