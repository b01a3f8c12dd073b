// Other agents as tools see them. Names only: no URL passes through here.
import type { Approval } from "./approval.ts";
import type { TraceContext } from "../tracing/trace-context.ts";

export interface PeerProfile {
  readonly id: string;
  readonly description: string;
  /** Names of its skills. */
  readonly skills: readonly string[];
}

export interface FoundAgent extends PeerProfile {
  /** Lease state at the registry: alive, suspect or dead. */
  readonly state: string;
}

export interface Question {
  /** The span of the tool call that asks. */
  readonly parent: TraceContext;
  readonly toolUseId: string;
  /** The same for every repetition of this call, and for no other. */
  readonly idempotencyKey: string;
  readonly agent: string;
  readonly message: string;
  /** Continues the n-th conversation that this thread opened; a new one when left out. */
  readonly thread: number | undefined;
  readonly signal: AbortSignal;
}

export interface Peers {
  /** Agents whose name, description or skills match, alive ones first. From now on they may be asked. */
  find(query: string): Promise<readonly FoundAgent[]>;
  /**
   * Asks, or goes on with what an earlier life of this call had asked. Throws with a message for the model when the agent may not be
   * asked, cannot be reached or failed, and InputRequired when it waits for approvals.
   */
  ask(question: Question): Promise<{ readonly text: string; readonly thread: number }>;
  /** Tells the peer that asked back in this call that nobody will answer. */
  leave(toolUseId: string): void;
}

/** A call cannot go on before approvals are answered; what they are is in the log. No failure: the turn is suspended. */
export class InputRequired extends Error {
  override readonly name = "InputRequired";
  readonly approvals: readonly Approval[];

  constructor(approvals: readonly Approval[]) {
    super("approvals are awaited");
    this.approvals = approvals;
  }
}
