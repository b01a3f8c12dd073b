// The neighbours of an agent in a static topology: it reaches them over its bindings, and knows them by their cards.
import { AgentCard } from "@a2a-js/sdk";
import { isSignedBy } from "../../a2a/card-signature.ts";
import type { PeerProfile } from "../../loop/tools/peers.ts";
import type { RemotePeer } from "../config.ts";
import { configOf, type AgentEnv } from "../env.ts";
import { reasonOf } from "../../text/reason.ts";
import { isFetcher } from "../../http/reach.ts";
import { log } from "../log.ts";
import { checkRemote } from "./remote-peer.ts";

const CARD_LIMIT_MS = 2_000;

interface Neighbour {
  readonly id: string;
  readonly binding: string;
  /** Signs its card. */
  readonly key?: string | undefined;
  readonly remote?: RemotePeer | undefined;
}

const known = new WeakMap<AgentEnv, readonly PeerProfile[]>();

/**
 * All neighbours, read once an isolate. A neighbour whose card cannot be read has only its name until the next turn. The result is
 * cached, not its promise, which would never settle once the object that began to read is gone.
 */
export async function neighbours(env: AgentEnv): Promise<readonly PeerProfile[]> {
  const cached = known.get(env);
  if (cached) return cached;
  const { peers } = configOf(env);
  const read = await Promise.all(peers.map((peer) => profile(env, peer)));
  const profiles = read.map((result, index) => result ?? unreachable(peers[index]?.id ?? ""));
  if (!read.includes(undefined)) known.set(env, known.get(env) ?? profiles);
  return known.get(env) ?? profiles;
}

async function profile(env: AgentEnv, peer: Neighbour): Promise<PeerProfile | undefined> {
  try {
    if (peer.remote) return await remoteProfile(env, peer, peer.remote);
    const signal = AbortSignal.timeout(CARD_LIMIT_MS);
    const response = await neighbourFetch(env, peer)(`${neighbourOrigin(peer)}/.well-known/agent-card.json`, {
      signal,
    });
    const json: unknown = await response.json();
    // Only the key that the deployment has pinned counts, never one that the card names.
    if (peer.key !== undefined && !(await isSignedBy(json, peer.key)))
      throw new Error("it is not signed by the key that the deployment knows; deploy the job again");
    const card = AgentCard.fromJSON(json);
    return { id: peer.id, description: card.description, skills: card.skills.map(({ name }) => name) };
  } catch (error) {
    log(env, "warn", `The card of ${peer.id} could not be read: ${reasonOf(error)}`);
    return undefined;
  }
}

/** Its words are those of the deployment: whoever changes the card later changes nothing here. */
async function remoteProfile(env: AgentEnv, peer: Neighbour, remote: RemotePeer): Promise<PeerProfile> {
  const { description, skills } = await checkRemote(
    remote,
    neighbourFetch(env, peer),
    AbortSignal.timeout(CARD_LIMIT_MS),
  );
  return { id: peer.id, description, skills };
}

function unreachable(id: string): PeerProfile {
  return { id, description: "(cannot be reached now)", skills: [] };
}

/** Any origin works over a binding. The peer's logs show this one. */
export function neighbourOrigin({ id }: Neighbour): string {
  return `https://${id.replaceAll("_", "-")}`;
}

/** An agent of others is reached by the network, where the deployment binds none. */
export function neighbourFetch(env: AgentEnv, { binding, remote }: Neighbour): typeof fetch {
  const bound: unknown = Reflect.get(env, binding);
  if (bound === undefined && remote !== undefined) return (input, init) => fetch(input, init);
  if (!isFetcher(bound)) throw new Error(`The binding ${binding} is missing: deploy the job again.`);
  return (input, init) => bound.fetch(input, init);
}
