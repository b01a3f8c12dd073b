// Deletes sessions at every agent that has a part of them.
import { gather, type Session } from "./gather.ts";
import { type Operator, Unreached } from "./operator.ts";

export interface Deleted {
  readonly session: string;
  /** At all agents. */
  readonly turns: number;
  readonly agents: number;
  /** Agents where it could not be deleted, and why. */
  readonly left: readonly Unreached[];
}

const AT_ONCE = 8;
/** An agent that was asked while its session was deleted has begun another: it is deleted, too. */
const ROUNDS = 3;

/** `agents`: all of the job. */
export async function deleteSessions(sessions: readonly Session[], agents: readonly Operator[]): Promise<Deleted[]> {
  let waiting = sessions;
  const outcomes = new Map<string, Deleted>();
  for (let round = 1; round <= ROUNDS && waiting.length > 0; round++) {
    for (let start = 0; start < waiting.length; start += AT_ONCE) {
      const done = await Promise.all(waiting.slice(start, start + AT_ONCE).map(deleteOne));
      for (const each of done) {
        const before = outcomes.get(each.session)?.turns ?? 0;
        outcomes.set(each.session, { ...each, turns: before + each.turns });
      }
    }
    const tried = new Set(waiting.filter(({ id }) => outcomes.get(id)?.left.length === 0).map(({ id }) => id));
    waiting = (await gather(agents)).sessions.filter(({ id }) => tried.has(id));
  }
  return [...outcomes.values()];
}

/** In the order of the agents: whoever asks others is stopped first. */
async function deleteOne({ id, agents }: Session): Promise<Deleted> {
  const left: Unreached[] = [];
  let turns = 0;
  for (const { agent } of agents) {
    try {
      turns += (await agent.delete(id)).turns;
    } catch (error) {
      if (!(error instanceof Unreached)) throw error;
      left.push(error);
    }
  }
  return { session: id, turns, agents: agents.length, left };
}
