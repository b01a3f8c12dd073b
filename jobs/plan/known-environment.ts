// What a deployed plan tells of its environment, so that a new plan differs from it only where the job does.
import { AgentConfig } from "#shared/agent/config.ts";
import { COMMAND_LINE } from "#shared/a2a/peer-token.ts";

import { isSamePlace, placeIn } from "../placement/place.ts";
import type { Placement } from "../placement/place-agents.ts";
import { CONTROL_PLANE } from "../placement/reach.ts";
import type { Plan, PlanEnvironment, PlannedAgent } from "./plan-shape.ts";

/** Stands for the public key that an agent will get. */
const NEW_KEY = "new";

/** Keys, cards of remote agents, ports and the account of `before`. An agent that moves to a host, or from one, gets another key. */
export function knownEnvironment(
  before: Plan,
  { agents, places }: Pick<Placement, "agents" | "places">,
): Required<Pick<PlanEnvironment, "publicKeys" | "remotes" | "tlsPorts" | "cloudflare">> {
  const keys = keysOf(before);
  const formerly = new Map(before.agents.map(({ id, place }) => [id, placeIn(before.places, place)]));
  const publicKeys = Object.entries(agents).map(([agent, id]): [string, string] => {
    const [from, to] = [formerly.get(agent), placeIn(places, id)];
    const isMadeHere = from?.kind !== "ssh" && to.kind !== "ssh";
    const isKept = from !== undefined && (isMadeHere || isSamePlace(from, to));
    return [agent, (isKept ? keys.get(agent) : undefined) ?? NEW_KEY];
  });
  const own = keys.get(COMMAND_LINE);
  const listeners = [...before.agents, { ...before.controlPlane, id: CONTROL_PLANE }];
  return {
    cloudflare: before.cloudflare,
    publicKeys: { ...Object.fromEntries(publicKeys), ...(own === undefined ? {} : { [COMMAND_LINE]: own }) },
    remotes: Object.fromEntries(before.remotes.flatMap(({ id, card }) => (card === undefined ? [] : [[id, card]]))),
    tlsPorts: Object.fromEntries(
      listeners.flatMap(({ id, tlsPort }) => (tlsPort === undefined ? [] : [[id, tlsPort]])),
    ),
  };
}

/** Every agent believes itself, so all keys of a plan are in it. */
function keysOf({ agents }: Plan): Map<string, string> {
  return new Map(agents.flatMap((agent) => (configOf(agent)?.callers ?? []).map(({ id, key }) => [id, key])));
}

/** Undefined for the configuration of an older release that does not fit. */
function configOf({ bindings }: PlannedAgent): AgentConfig | undefined {
  const binding = bindings.find(({ type, name }) => type === "json" && name === "AGENT");
  return AgentConfig.safeParse(binding?.type === "json" ? binding.value : undefined).data;
}
