// What the agents of a session were asked from outside, the entry point first.
import type { Session } from "./gather.ts";
import type { Operator } from "./operator.ts";
import { Walk, type Turn } from "./walk.ts";

export interface Conversation {
  readonly agent: string;
  /** Turns before those that are here. */
  readonly earlier: number;
  readonly turns: readonly Turn[];
}

/** `all`: the agents of the job. `last`: only so many turns of each conversation; all when left out. */
export async function conversations(
  session: Session,
  all: readonly Operator[],
  last?: number,
): Promise<Conversation[]> {
  const walk = new Walk(all, session.id);
  const read: Conversation[] = [];
  for (const { agent, part } of session.agents) {
    if (part.ownTurns === 0) continue;
    const turns = await walk.turns(agent, { contextId: session.id, last });
    read.push({ agent: agent.agent, earlier: part.ownTurns - turns.length, turns });
  }
  return read;
}
