// Checks where a job runs: targets, ways between places, ports, and accounts where others have some.
import type { Mistake } from "../file/mistake.ts";
import type { Source } from "../file/source.ts";
import { placeAgents, type Placement, type PlacementChoice } from "../placement/place-agents.ts";
import { reachOf } from "../placement/reach.ts";
import type { Job } from "../schema/schema.ts";

/** `choice`: what the command line says about places. */
export function checkPlacement(job: Job, source: Source, choice: PlacementChoice | undefined): Mistake[] {
  const placement = placeAgents(job, choice);
  const mistakes = placement.mistakes.length > 0 ? placement.mistakes : reachOf(job, placement).mistakes;
  return [
    ...mistakes.map(({ path, message, hint }) => source.mistake(path, message, hint)),
    ...checkPort(job, source),
    ...checkAccounts(job, source, placement),
  ];
}

/** An agent is known by its port, wherever it runs, and so is the control plane. */
function checkPort({ agents, control_plane: { port } }: Job, source: Source): Mistake[] {
  const other = port === 0 ? undefined : agents.find((agent) => agent.remote === undefined && agent.port === port);
  if (other === undefined) return [];
  const message = `port ${port} is taken by the agent "${other.id}"`;
  return [
    source.mistake(
      ["control_plane", "port"],
      message,
      "Use another port, or 0 for any free one. Ports differ over a whole job, also between hosts.",
    ),
  ];
}

/** Of every job that uses a host: its agents here, too, are asked from there. */
function checkAccounts({ accounts }: Job, source: Source, { places, agents }: Placement): Mistake[] {
  const host = accounts === "optional" ? places.find(({ kind }) => kind === "ssh") : undefined;
  if (host === undefined) return [];
  const [agent] = Object.entries(agents).find(([, place]) => place === host.id) ?? [];
  const who = agent === undefined ? "the control plane" : `the agent "${agent}"`;
  const message = `accounts cannot be optional: ${who} runs on ${host.id}, where other people have accounts`;
  return [source.mistake(["accounts"], message, "Write required, or remove the line.")];
}
