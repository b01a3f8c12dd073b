// An agent that has nobody to ask.
import type { Peers, ToolPeers } from "#shared/loop/tools/peers.ts";

export const NO_PEERS: Peers & ToolPeers = {
  find: async () => [],
  leave: () => {},
  ask: async () => {
    throw new Error("There is nobody to ask.");
  },
};
