// Follows a conversation through the agents: the turns of a thread, and for each the turns that it opened elsewhere.
import type { PeerTurn, TurnRecord } from "#shared/control-plane/sessions.ts";

import { type Operator, Unreached, type TurnsWanted } from "./operator.ts";

/** A turn at an agent, with those that it asked for at other agents. */
export interface Turn {
  readonly agent: string;
  readonly record: TurnRecord;
  readonly asked: readonly Asked[];
}

/** A question to another agent: the turn there, or why it cannot be shown. */
export type Asked = Turn | { readonly agent: string; readonly why: string };

/** An agent asks through at most so many others. */
const MOST_HOPS = 10;

export class Walk {
  readonly #agents: ReadonlyMap<string, Operator>;
  readonly #session: string;

  constructor(agents: readonly Operator[], session: string) {
    this.#agents = new Map(agents.map((agent) => [agent.agent, agent]));
    this.#session = session;
  }

  /** Throws Unreached where the agent itself cannot be reached. */
  async turns(agent: Operator, wanted: TurnsWanted): Promise<Turn[]> {
    const records: TurnRecord[] = [];
    for await (const record of agent.turns(this.#session, wanted)) records.push(record);
    return this.#with(agent, records, 0);
  }

  async #with(agent: Operator, records: readonly TurnRecord[], hops: number): Promise<Turn[]> {
    const there = new Map<string, Asked>();
    for (const [name, questions] of byAgent(records.flatMap((record) => record.peers)))
      for (const [key, asked] of await this.#askedAt(name, questions, hops + 1)) there.set(key, asked);
    return records.map((record) => ({
      agent: agent.agent,
      record,
      asked: record.peers.map(
        (peer) => there.get(keyOf(peer)) ?? { agent: peer.agent, why: "has this turn no longer" },
      ),
    }));
  }

  async #askedAt(name: string, questions: readonly PeerTurn[], hops: number): Promise<Map<string, Asked>> {
    const all = (why: string) => new Map(questions.map((peer) => [keyOf(peer), { agent: name, why }]));
    const agent = this.#agents.get(name);
    if (agent === undefined) return all("is no agent of this job");
    if (hops > MOST_HOPS) return all("is too many agents away");
    try {
      const messageIds = questions.map(({ messageId }) => messageId);
      const turns = await this.#with(agent, await agent.turnsOf(this.#session, messageIds), hops);
      return new Map(turns.map((turn) => [keyOf({ ...turn.record, agent: name }), turn]));
    } catch (error) {
      if (!(error instanceof Unreached)) throw error;
      return all("cannot be reached");
    }
  }
}

function byAgent(peers: readonly PeerTurn[]): Map<string, PeerTurn[]> {
  const questions = new Map<string, PeerTurn[]>();
  for (const peer of peers) questions.set(peer.agent, [...(questions.get(peer.agent) ?? []), peer]);
  return questions;
}

function keyOf({
  agent,
  contextId,
  messageId,
}: {
  readonly agent: string;
  readonly contextId: string;
  readonly messageId: string | null;
}): string {
  return JSON.stringify([agent, contextId, messageId]);
}
