// An agent of others, as its asker knows it: by what its card said at the deployment, and by the key that signed it then.
import { isSignedWith } from "../../a2a/card-signature.ts";
import type { RemoteCard } from "../../a2a/remote/card.ts";
import { fetchCard } from "../../a2a/remote/fetch-card.ts";
import type { FoundAgent } from "../../loop/tools/peers.ts";
import type { AgentConfig, RemotePeer } from "../config.ts";
import type { AgentEnv } from "../env.ts";

/** Reads the card anew. Throws where it cannot be read, or is not signed with the key of the deployment. */
export async function checkRemote(
  remote: RemotePeer,
  fetchImpl: typeof fetch,
  signal: AbortSignal,
): Promise<RemoteCard> {
  const said = saidBy(remote);
  const card = await fetchCard(fetchImpl, remote.card, signal);
  if (said.key !== undefined && !(await isSignedWith(card, said.key)))
    throw new Error("the key of its card has changed, or the card is not signed any more: deploy the job again");
  return said;
}

/** As checkRemote, before a question: a card that no key was pinned for need not be read. */
export async function checkBeforeAsking(
  remote: RemotePeer,
  fetchImpl: typeof fetch,
  signal: AbortSignal,
): Promise<void> {
  if (saidBy(remote).key !== undefined) await checkRemote(remote, fetchImpl, signal);
}

export function saidBy({ said }: RemotePeer): RemoteCard {
  if (said === undefined) throw new Error("its card was never read: deploy the job again");
  return said;
}

/** Agents of others for whoever searches: the registry does not know them. All of them where none of the words fits. */
export function remotesFitting(peers: AgentConfig["peers"], query: string): FoundAgent[] {
  const all = peers.flatMap(({ id, remote }) =>
    remote?.said ? [{ id, description: remote.said.description, skills: remote.said.skills, state: "remote" }] : [],
  );
  const words = query.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? [];
  const fits = ({ id, description, skills }: FoundAgent) => {
    const text = [id, description, ...skills].join(" ").toLowerCase();
    return words.some((word) => text.includes(word));
  };
  const fitting = all.filter(fits);
  return fitting.length === 0 ? all : fitting;
}

/** The bearer token for it; undefined without one. */
export function tokenFor(env: AgentEnv, { token }: RemotePeer): string | undefined {
  const value: unknown = token === undefined ? undefined : Reflect.get(env, token);
  return typeof value === "string" && value !== "" ? value : undefined;
}
