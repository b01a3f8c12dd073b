// Reads the cards of a job's remote agents when it is deployed, and finds the keys that sign them.
import type { Job } from "#jobs/schema/schema.ts";
import { remoteAgents } from "#jobs/schema/remote.ts";
import type { Plan } from "#jobs/plan/plan-shape.ts";
import { cardAddress, type RemoteCard } from "#shared/a2a/remote/card.ts";
import { fetchCard } from "#shared/a2a/remote/fetch-card.ts";
import { findSigner } from "#shared/a2a/remote/find-signer.ts";
import { readCard } from "#shared/a2a/remote/read-card.ts";
import { canonical } from "#shared/text/canonical-json.ts";
import { reasonOf } from "#shared/text/reason.ts";

import { CliError } from "../terminal/cli-error.ts";
import type { Io } from "../terminal/io.ts";

const LIMIT_MS = 10_000;
const LOOK_MS = 2_000;

/**
 * Remote agent's id → what its card says. `last`: those of the deployment before. Throws CliError where a card cannot be used, or is not signed
 * any more.
 */
export async function readRemotes(
  job: Pick<Job, "agents">,
  last: Plan["remotes"],
  io: Io,
  fetchImpl: typeof fetch = fetch,
): Promise<Record<string, RemoteCard>> {
  const read = await Promise.all(
    remoteAgents(job.agents).map(async ({ id, remote }) => {
      const address = cardAddress(remote);
      const card = await readRemote(id, address, io.signal, fetchImpl);
      const before = last.find((other) => other.id === id && other.url === address)?.card?.key;
      if (before !== undefined) compareKeys(id, before, card.key, io);
      return [id, card] as const;
    }),
  );
  return Object.fromEntries(read);
}

async function readRemote(
  id: string,
  address: string,
  signal: AbortSignal,
  fetchImpl: typeof fetch,
): Promise<RemoteCard> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  try {
    const json = await fetchCard(fetchImpl, address, limit);
    const card = readCard(json, address);
    const key = await findSigner(json, address, async (url) => fetchCard(fetchImpl, url, limit));
    return key === undefined ? card : { ...card, key };
  } catch (error) {
    signal.throwIfAborted();
    throw new CliError(
      "failed",
      `The remote agent ${id} cannot be used: ${wordsOf(error, limit)}.`,
      `Its card is expected at ${address}. Correct "remote" in the job file, or try again later.`,
    );
  }
}

function wordsOf(error: unknown, limit: AbortSignal): string {
  if (limit.aborted) return `it did not answer within ${LIMIT_MS / 1000} s`;
  if (!(error instanceof TypeError)) return reasonOf(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `it cannot be reached${cause}`;
}

function compareKeys(id: string, before: RemoteCard["key"], now: RemoteCard["key"], io: Io): void {
  if (now === undefined)
    throw new CliError(
      "failed",
      `The card of the remote agent ${id} was signed at the last deployment, and is not signed any more.`,
      "Ask whoever runs it. To take it all the same, deploy once without this agent.",
    );
  if (canonical(now) !== canonical(before))
    io.note(`The card of the remote agent ${id} is signed by another key than at the last deployment.`);
}

/** Remote agent's id → whether its card can be read now. */
export async function reachableRemotes(
  remotes: readonly { readonly id: string; readonly url: string }[],
  signal: AbortSignal,
  fetchImpl: typeof fetch = fetch,
): Promise<ReadonlyMap<string, boolean>> {
  const looks = remotes.map(async ({ id, url }) => {
    const isThere = await fetchCard(fetchImpl, url, AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])).then(
      () => true,
      () => false,
    );
    return [id, isThere] as const;
  });
  return new Map(await Promise.all(looks));
}
