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

function checkAccounts({ accounts }: Job, source: Source, { places, agents }: Placement): Mistake[] {
  if (accounts !== "optional") return [];
  const hosts = new Set(places.filter(({ kind }) => kind === "ssh").map(({ id }) => id));
  const [there] = Object.entries(agents).filter(([, place]) => hosts.has(place));
  if (there === undefined) return [];
  const [agent, place] = there;
  const message = `accounts cannot be optional: the agent "${agent}" runs on ${place}, where other people have accounts`;
  return [source.mistake(["accounts"], message, "Write required, or remove the line.")];
}
