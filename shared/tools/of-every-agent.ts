// The tools that every agent has beside its own: those that find and ask other agents.
import type { PeerProfile } from "../loop/tools/peers.ts";
import type { Tool } from "../loop/tools/tool.ts";
import { findAgents } from "./find-agents.ts";
import { queryAgent } from "./query-agent.ts";

/** `peers`: the agent's neighbours; undefined in a dynamic topology. An agent without neighbours gets none. */
export function toolsOfEveryAgent(peers: readonly PeerProfile[] | undefined): readonly Tool[] {
  return peers?.length === 0 ? [] : [findAgents, queryAgent(peers)];
}
