// Deletes sessions, and on request their traces. Traces go first, since only the sessions know them; and again afterwards, since the last
// spans of turns that were canceled come late.
import type { Io } from "../../terminal/io.ts";
import { deployedTarget } from "../../targets/choose-target.ts";
import { type Deleted, deleteSessions } from "../../sessions/delete.ts";
import type { Gathered, Session } from "../../sessions/gather.ts";
import { Unreached } from "../../sessions/operator.ts";
import type { TraceStore } from "../../traces/store/store.ts";

export const TRACES_OPTION = { type: "boolean", description: "Delete the traces of their questions, too" } as const;

const AT_ONCE = 8;

export async function deleteChosen(
  sessions: readonly Session[],
  { agents }: Gathered,
  traces: boolean | undefined,
  io: Io,
): Promise<Deleted[]> {
  const [first] = sessions;
  if (traces !== true || first === undefined) return deleteSessions(sessions, agents);
  return (await deployedTarget()).withTraces([first.job], io, async (stores) => {
    const ids = new Set<string>();
    for (const session of sessions) for (const id of await traceIdsOf(session)) ids.add(id);
    await deleteTraces(stores, [...ids]);
    const deleted = await deleteSessions(sessions, agents);
    await Promise.all(agents.map(async (agent) => agent.flushSpans()));
    await deleteTraces(stores, [...ids]);
    return deleted;
  });
}

/** An agent that does not answer is named when its part cannot be deleted. */
async function traceIdsOf({ id, agents }: Session): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const { agent } of agents) {
    try {
      for await (const { traceId } of agent.turns(id, {})) if (traceId !== "") ids.add(traceId);
    } catch (error) {
      if (!(error instanceof Unreached)) throw error;
    }
  }
  return ids;
}

async function deleteTraces(stores: readonly TraceStore[], ids: readonly string[]): Promise<void> {
  for (const store of stores) {
    for (let start = 0; start < ids.length; start += AT_ONCE)
      await Promise.all(ids.slice(start, start + AT_ONCE).map(async (id) => store.delete(id)));
  }
}
