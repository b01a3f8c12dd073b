// The conversations that a thread has opened with other agents, by number.
import { peerContextId } from "../../a2a/task-id.ts";
import type { Step } from "../../loop/log/step.ts";

export interface PeerThread {
  readonly ordinal: number;
  readonly agent: string;
  readonly contextId: string;
  /** A task of an agent of others that waits for the next message of the thread. */
  readonly taskId?: string | undefined;
}

/** A thread as the log names it. */
export interface Opened {
  readonly agent: string;
  readonly thread: number;
  readonly contextId: string;
}

/** Numbers that an error lists. */
const MOST_LISTED = 20;

export class PeerThreads {
  /** The agent that opens conversations, and its own thread. */
  readonly #own: { readonly id: string; readonly contextId: string };
  readonly #open = new Map<number, PeerThread>();

  /** `earlier`: those that were opened before the log begins. */
  constructor(
    own: { readonly id: string; readonly contextId: string },
    log: readonly Step[],
    earlier: readonly Opened[] = [],
  ) {
    this.#own = own;
    for (const { thread: ordinal, agent, contextId } of earlier) this.#open.set(ordinal, { ordinal, agent, contextId });
    for (const step of log) this.note(step);
  }

  /** Takes in what a step of the log says of a conversation. */
  note(step: Step): void {
    if (step.kind !== "peer_call" && step.kind !== "peer_task") return;
    const { thread: ordinal, agent, contextId } = step;
    const taskId = step.kind === "peer_task" && step.asksBack ? step.taskId : undefined;
    this.#open.set(ordinal, { ordinal, agent, contextId, taskId });
  }

  /**
   * Continues a conversation, or opens the next one, whose id `idOf` may hide. Its number is taken at once, so parallel calls never share one.
   */
  take(agent: string, thread: number | undefined, idOf = (contextId: string) => contextId): PeerThread {
    if (thread !== undefined) {
      const open = this.#open.get(thread);
      if (open?.agent === agent) return open;
      const mine = [...this.#open.values()]
        .filter((other) => other.agent === agent)
        .map(({ ordinal }) => ordinal)
        .slice(-MOST_LISTED);
      throw new Error(
        `There is no conversation ${thread} with ${agent}: ${mine.length > 0 ? `open are ${mine.join(", ")}` : "none is open yet"}; leave thread out to begin a new one.`,
      );
    }
    // The highest number, not their count: a conversation that failed before its task was opened has left a gap.
    const ordinal = Math.max(0, ...this.#open.keys()) + 1;
    const opened = { ordinal, agent, contextId: idOf(peerContextId(this.#own.contextId, this.#own.id, ordinal)) };
    this.#open.set(ordinal, opened);
    return opened;
  }
}
