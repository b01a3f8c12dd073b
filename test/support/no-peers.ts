// An agent that has nobody to ask.
import type { Peers } from "#shared/loop/peers.ts";

export const NO_PEERS: Peers = {
  find: async () => [],
  leave: () => {},
  ask: async () => {
    throw new Error("There is nobody to ask.");
  },
};
