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

/** Message ids of one request. */
const ASKED_AT_ONCE = 2_000;
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
  async turns(agent: Operator, wanted: TurnsWanted, hops = 0): Promise<Turn[]> {
    const records: TurnRecord[] = [];
    for await (const record of agent.turns(this.#session, wanted)) records.push(record);
    const peers = records.flatMap((record) => record.peers);
    const there = new Map<string, Asked>();
    for (const [name, questions] of byAgent(peers)) {
      for (const [key, asked] of await this.#askedAt(name, questions, hops + 1)) there.set(key, asked);
    }
    return records.map((record) => ({
      agent: agent.agent,
      record,
      asked: record.peers.map((peer) => there.get(keyOf(peer)) ?? { agent: peer.agent, why: "has no such turn" }),
    }));
  }

  async #askedAt(name: string, questions: readonly PeerTurn[], hops: number): Promise<Map<string, Asked>> {
    const all = (why: string) => new Map(questions.map((peer) => [keyOf(peer), { agent: name, why }]));
    const agent = this.#agents.get(name);
    if (agent === undefined) return all("is no agent of this job");
    if (hops > MOST_HOPS) return all("is too many agents away");
    try {
      const turns: Turn[] = [];
      for (let start = 0; start < questions.length; start += ASKED_AT_ONCE) {
        const messageIds = questions.slice(start, start + ASKED_AT_ONCE).map(({ messageId }) => messageId);
        turns.push(...(await this.turns(agent, { messageIds }, hops)));
      }
      return new Map(
        turns.map((turn) => [
          keyOf({ agent: name, contextId: turn.record.contextId, messageId: turn.record.messageId ?? "" }),
          turn,
        ]),
      );
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

function keyOf({ agent, contextId, messageId }: Omit<PeerTurn, "thread">): string {
  return JSON.stringify([agent, contextId, messageId]);
}
