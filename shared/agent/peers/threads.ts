// The conversations that a thread has opened with other agents, by number.
import { peerContextId } from "../../a2a/task-id.ts";
import type { Step } from "../../loop/log/step.ts";

export interface PeerThread {
  readonly ordinal: number;
  readonly agent: string;
  readonly contextId: string;
}

export class PeerThreads {
  /** The agent that opens conversations, and its own thread. */
  readonly #own: { readonly id: string; readonly contextId: string };
  readonly #open = new Map<number, PeerThread>();

  constructor(own: { readonly id: string; readonly contextId: string }, log: readonly Step[]) {
    this.#own = own;
    for (const step of log) {
      if (step.kind === "peer_call" || step.kind === "peer_task")
        this.#open.set(step.thread, { ordinal: step.thread, agent: step.agent, contextId: step.contextId });
    }
  }

  /** Continues a conversation, or opens the next one. Its number is taken at once, so parallel calls never share one. */
  take(agent: string, thread: number | undefined): PeerThread {
    if (thread !== undefined) {
      const open = this.#open.get(thread);
      if (open?.agent === agent) return open;
      const mine = [...this.#open.values()].filter((other) => other.agent === agent).map(({ ordinal }) => ordinal);
      throw new Error(
        `There is no conversation ${thread} with ${agent}: ${mine.length > 0 ? `open are ${mine.join(", ")}` : "none is open yet"}; leave thread out to begin a new one.`,
      );
    }
    // The highest number, not their count: a conversation that failed before its task was opened has left a gap.
    const ordinal = Math.max(0, ...this.#open.keys()) + 1;
    const opened = { ordinal, agent, contextId: peerContextId(this.#own.contextId, this.#own.id, ordinal) };
    this.#open.set(ordinal, opened);
    return opened;
  }
}
