// Copies a conversation into a new session, with the threads that it has opened at other agents. What those opened in turn is copied
// before them: a copy has to know which threads are missing.
import type { TurnRecord } from "#shared/control-plane/sessions.ts";

import { CliError } from "../terminal/cli-error.ts";
import { type Operator, Unreached } from "./operator.ts";

export interface Fork {
  /** The agents of the job. */
  readonly agents: readonly Operator[];
  readonly from: string;
  readonly to: string;
}

/** A thread that has no copy. */
export interface Lost {
  readonly agent: string;
  /** The agent that asked there, and the thread's number among its own. */
  readonly by: string;
  readonly thread: number;
  readonly why: string;
}

export interface Forked {
  /** Turns that were copied, by agent. */
  readonly copied: ReadonlyMap<string, number>;
  readonly lost: readonly Lost[];
}

/** An agent asks through at most so many others. */
const MOST_HOPS = 10;

/** `turns`: those of the conversation that are to be copied, all of which have ended. Leaves nothing behind where it fails. Throws CliError. */
export async function fork(plan: Fork, agent: Operator, turns: readonly TurnRecord[]): Promise<Forked> {
  const copying = new Copying(plan);
  try {
    await copying.thread(agent, plan.from, turns);
  } catch (error) {
    const left = await copying.undo();
    if (left.length === 0 || !(error instanceof CliError)) throw error;
    throw new CliError(
      error.code,
      `${error.message} What was copied to ${left.join(", ")} is still there.`,
      error.next,
    );
  }
  return copying;
}

class Copying implements Forked {
  readonly copied = new Map<string, number>();
  readonly lost: Lost[] = [];
  readonly #plan: Fork;

  constructor(plan: Fork) {
    this.#plan = plan;
  }

  async thread(agent: Operator, contextId: string, turns: readonly TurnRecord[], hops = 0): Promise<void> {
    // Also where the copy fails half way.
    this.copied.set(agent.agent, this.copied.get(agent.agent) ?? 0);
    const lost: { agent: string; thread: number }[] = [];
    for (const asked of threadsOf(turns)) {
      const why = await this.#below(asked, hops + 1);
      if (why === undefined) continue;
      lost.push({ agent: asked.agent, thread: asked.thread });
      this.lost.push({ agent: asked.agent, by: agent.agent, thread: asked.thread, why });
    }
    const { from, to } = this.#plan;
    const numbers = turns.map(({ n }) => n);
    const copy = { session: from, contextId, turns: numbers, to: to + contextId.slice(from.length), lost };
    const { turns: copied } = await agent.copy(copy);
    this.copied.set(agent.agent, (this.copied.get(agent.agent) ?? 0) + copied);
  }

  /** Deletes the copies. Resolves to the agents where that fails. */
  async undo(): Promise<string[]> {
    const left: string[] = [];
    for (const agent of this.#plan.agents.filter((one) => this.copied.has(one.agent)))
      await agent.delete(this.#plan.to).catch(() => left.push(agent.agent));
    return left;
  }

  /** Copies a thread at another agent. Resolves to why it has no copy; undefined where it has. */
  async #below({ agent: name, contextId, messageIds }: Thread, hops: number): Promise<string | undefined> {
    const agent = this.#plan.agents.find((one) => one.agent === name);
    if (agent === undefined) return `${name} is no agent of this job`;
    if (hops > MOST_HOPS) return `${name} is too many agents away`;
    let turns: TurnRecord[];
    try {
      turns = await agent.turnsOf(this.#plan.from, messageIds, contextId);
    } catch (error) {
      if (!(error instanceof Unreached)) throw error;
      return `${name} cannot be reached`;
    }
    const ended = turns.filter(hasEnded);
    if (ended.length === 0) return turns.length === 0 ? `${name} has it no longer` : `${name} has not ended its turn`;
    await this.thread(agent, contextId, ended, hops);
    return undefined;
  }
}

interface Thread {
  readonly agent: string;
  readonly contextId: string;
  readonly thread: number;
  readonly messageIds: string[];
}

function threadsOf(turns: readonly TurnRecord[]): Thread[] {
  const threads = new Map<string, Thread>();
  for (const { agent, contextId, thread, messageId } of turns.flatMap(({ peers }) => peers)) {
    const key = JSON.stringify([agent, contextId]);
    const known = threads.get(key) ?? { agent, contextId, thread, messageIds: [] };
    threads.set(key, known);
    known.messageIds.push(messageId);
  }
  return [...threads.values()];
}

const OPEN = new Set(["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING", "TASK_STATE_INPUT_REQUIRED"]);

export function hasEnded({ state }: TurnRecord): boolean {
  return !OPEN.has(state);
}
