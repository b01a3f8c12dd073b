// Connects to a peer: over a binding in a static topology, at the registry's address in a dynamic one, with a token that names the
// principal and the query.
import { cancelPeerTask } from "../../a2a/peer-client.ts";
import { signRequest, type TokenRequest } from "../../a2a/peer-token.ts";
import type { Step } from "../../loop/log/step.ts";
import { suggest } from "../../text/nearest.ts";
import { formatTraceparent, randomContext } from "../../tracing/trace-context.ts";
import type { RemoteCard } from "../../a2a/remote/card.ts";
import { reasonOf } from "../../text/reason.ts";
import type { AgentConfig } from "../config.ts";
import { configOf, fetcherOf, type AgentEnv } from "../env.ts";
import { log } from "../log.ts";
import { neighbourFetch, neighbourOrigin } from "./neighbours.ts";
import { checkBeforeAsking, saidBy, tokenFor } from "./remote-peer.ts";
import { resolveAgent } from "../control-plane/registry-client.ts";
import type { Asker } from "../caller.ts";

const CARD_LIMIT_MS = 10_000;

export interface Connection {
  readonly fetch: typeof fetch;
  readonly origin: string;
  /** The agent is one of others. */
  readonly remote?: { readonly card: RemoteCard; readonly token: string | undefined };
}

/** Cancels a task at a peer. */
export async function cancelAtPeer(
  env: AgentEnv,
  { agent, taskId }: { readonly agent: string; readonly taskId: string },
  asker: Asker,
  sessionSteps: () => readonly Step[],
): Promise<void> {
  const traceparent = formatTraceparent(randomContext(), false);
  const connection = await connect(env, agent, sessionSteps);
  await cancelPeerTask({ ...connection, sign: signerFor(env, agent, asker), traceparent }, taskId);
}

/** Signs requests to another agent in the name of whoever asked. */
export function signerFor(
  env: AgentEnv,
  agent: string,
  { principal, chain, query }: Asker,
): (request: TokenRequest) => string {
  const { id, job } = configOf(env);
  const mandate = { from: id, to: agent, job, principal, chain: [...chain, id], query };
  return (request) => signRequest(env.TROUPE_SIGNING_KEY, mandate, request);
}

/** Throws with a message for the model when this agent may not ask that one. */
export async function connect(env: AgentEnv, agent: string, sessionSteps: () => readonly Step[]): Promise<Connection> {
  const { topology, peers } = configOf(env);
  const peer = peers.find(({ id }) => id === agent);
  if (topology === "static") {
    if (!peer)
      throw notAskable(
        agent,
        peers.map(({ id }) => id),
      );
    return overBinding(env, peer);
  }
  const found = sessionSteps().flatMap((step) => (step.kind === "found" ? step.agents : []));
  if (!found.includes(agent)) throw notAskable(agent, new Set(found));
  if (peer) return overBinding(env, peer);
  return { fetch: fetcherOf(env.NETWORK), origin: await resolveAgent(env, agent) };
}

function overBinding(env: AgentEnv, peer: AgentConfig["peers"][number]): Connection {
  const connection = { fetch: neighbourFetch(env, peer), origin: neighbourOrigin(peer) };
  const { remote } = peer;
  if (remote === undefined) return connection;
  return { ...connection, remote: { card: saidBy(remote), token: tokenFor(env, remote) } };
}

/** Throws where an agent of others does not show that it is still the one of the deployment. */
export async function checkPeer(env: AgentEnv, agent: string, signal: AbortSignal): Promise<void> {
  const peer = configOf(env).peers.find(({ id }) => id === agent);
  if (!peer?.remote) return;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CARD_LIMIT_MS)]);
  try {
    await checkBeforeAsking(peer.remote, neighbourFetch(env, peer), limit);
  } catch (error) {
    signal.throwIfAborted();
    log(env, "warn", `The card of ${agent} was refused: ${reasonOf(error)}`);
    throw new Error(`The agent ${agent} cannot be reached: ${reasonOf(error)}`, { cause: error });
  }
}

function notAskable(agent: string, names: Iterable<string>): Error {
  const hint = suggest(agent, names) || "Use find_agents first.";
  return new Error(`There is no agent named ${agent} that you can ask. ${hint}`);
}
