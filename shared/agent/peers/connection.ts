// Connects to a peer: over a binding in a static topology, at the registry's address in a dynamic one, with a token that names the
// principal and the query.
import { cancelPeerTask } from "../../a2a/peer-client.ts";
import { signRequest, type TokenRequest } from "../../a2a/peer-token.ts";
import type { Step } from "../../loop/log/step.ts";
import { suggest } from "../../text/nearest.ts";
import { formatTraceparent, randomContext } from "../../tracing/trace-context.ts";
import { configOf, fetcherOf, type AgentEnv } from "../env.ts";
import { neighbourFetch, neighbourOrigin } from "./neighbours.ts";
import { resolveAgent } from "../control-plane/registry-client.ts";
import type { Asker } from "../caller.ts";

export interface Connection {
  readonly fetch: typeof fetch;
  readonly origin: string;
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
  if (topology === "static") {
    const peer = peers.find(({ id }) => id === agent);
    if (!peer)
      throw notAskable(
        agent,
        peers.map(({ id }) => id),
      );
    return { fetch: neighbourFetch(env, peer), origin: neighbourOrigin(peer) };
  }
  const found = sessionSteps().flatMap((step) => (step.kind === "found" ? step.agents : []));
  if (!found.includes(agent)) throw notAskable(agent, new Set(found));
  return { fetch: fetcherOf(env.NETWORK), origin: await resolveAgent(env, agent) };
}

function notAskable(agent: string, names: Iterable<string>): Error {
  const hint = suggest(agent, names) || "Use find_agents first.";
  return new Error(`There is no agent named ${agent} that you can ask. ${hint}`);
}
