// Tries the way to each neighbour as a question would go: reads its card, and has it check a token. Nothing is asked.
import { type Neighbours, GREETING_PATH } from "../../control-plane/neighbours.ts";
import { parseJson } from "../../text/parse-json.ts";
import { reasonOf } from "../../text/reason.ts";
import { isSignedBy } from "../../a2a/card-signature.ts";
import { CARD_PATH } from "../card.ts";
import type { AgentConfig } from "../config.ts";
import { configOf, type AgentEnv } from "../env.ts";
import { signerFor } from "../peers/connection.ts";
import { neighbourFetch, neighbourOrigin } from "../peers/neighbours.ts";

const LIMIT_MS = 5_000;

type Peer = AgentConfig["peers"][number];

/** Agents of others are left out: whether they are there does not say whether the job is whole. */
export async function greetNeighbours(env: AgentEnv): Promise<Neighbours> {
  const own = configOf(env).peers.filter(({ remote }) => remote === undefined);
  const neighbours = own.map(async (peer) => {
    try {
      await greet(env, peer, AbortSignal.timeout(LIMIT_MS));
      return { id: peer.id };
    } catch (error) {
      return { id: peer.id, failure: reasonOf(error) };
    }
  });
  return { neighbours: await Promise.all(neighbours) };
}

async function greet(env: AgentEnv, peer: Peer, signal: AbortSignal): Promise<void> {
  const [send, origin] = [neighbourFetch(env, peer), neighbourOrigin(peer)];
  const card = await send(origin + CARD_PATH, { signal });
  const text = await card.text();
  if (!card.ok) throw new Error(`its card answers ${card.status}`);
  if (peer.key !== undefined && !(await isSignedBy(parseJson(text), peer.key)))
    throw new Error("its card is not signed by the key that this deployment knows");
  const sign = signerFor(env, peer.id, { principal: "local", chain: [], query: crypto.randomUUID() });
  const authorization = `Bearer ${sign({ method: "POST", path: GREETING_PATH })}`;
  const greeted = await send(origin + GREETING_PATH, { method: "POST", headers: { authorization }, signal });
  await greeted.body?.cancel();
  if (greeted.status !== 204) throw new Error(`it does not take this agent's token (${greeted.status})`);
}
