// An agent of others, as its asker knows it: by what its card said at the deployment, and by the key that signed it then.
import { isSignedWith } from "../../a2a/card-signature.ts";
import type { RemoteCard } from "../../a2a/remote/card.ts";
import { fetchCard } from "../../a2a/remote/fetch-card.ts";
import { pause } from "../../resilience/pause.ts";
import type { FoundAgent } from "../../loop/tools/peers.ts";
import type { AgentConfig, RemotePeer } from "../config.ts";
import type { AgentEnv } from "../env.ts";

/** How long a question waits for an agent that cannot be reached, as for one of the job. */
const PATIENCE_MS = 4_000;
const FIRST_PAUSE_MS = 100;

/** Reads the card anew. Throws where it cannot be read, or is not signed with the key of the deployment. */
export async function checkRemote(
  remote: RemotePeer,
  fetchImpl: typeof fetch,
  signal: AbortSignal,
): Promise<RemoteCard> {
  const said = saidBy(remote);
  const card = await fetchCard(fetchImpl, remote.card, signal);
  await checkKey(said, card);
  return said;
}

async function checkKey(said: RemoteCard, card: unknown): Promise<void> {
  if (said.key !== undefined && !(await isSignedWith(card, said.key)))
    throw new Error("the key of its card has changed, or the card is not signed any more: deploy the job again");
}

/** As checkRemote, before a question: a card that no key was pinned for need not be read, and who is away may be back soon. */
export async function checkBeforeAsking(
  remote: RemotePeer,
  fetchImpl: typeof fetch,
  signal: AbortSignal,
): Promise<void> {
  const said = saidBy(remote);
  if (said.key === undefined) return;
  await checkKey(said, await readPatiently(() => fetchCard(fetchImpl, remote.card, signal), signal));
}

async function readPatiently(read: () => Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  const until = Date.now() + PATIENCE_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    try {
      return await read();
    } catch (error) {
      if (signal.aborted || Date.now() + pauseMs > until) throw error;
      await pause(pauseMs, signal);
    }
  }
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
