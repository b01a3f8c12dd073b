// Other agents as tools see them. Names only: no URL passes through here.
import type { Approval } from "../log/approval.ts";
import type { TraceContext } from "../../tracing/trace-context.ts";

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

/** What a tool asks. */
export interface ToolQuestion {
  readonly agent: string;
  readonly message: string;
  /** Continues the n-th conversation that this thread opened; a new one when left out. */
  readonly thread?: number | undefined;
}

/** What an agent is asked, and by which call. */
export interface Question extends ToolQuestion {
  /** The span of the tool call that asks. */
  readonly parent: TraceContext;
  readonly toolUseId: string;
  /** Its place among the questions of the call, from 1. */
  readonly ordinal: number;
  /** The same for every repetition of this call, and for no other. */
  readonly idempotencyKey: string;
  /** What the tool was run with, where that is not what the model wanted. */
  readonly input?: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

interface PeerAnswer {
  readonly text: string;
  /** The number of the conversation, to go on with it. */
  readonly thread: number;
}

/** Other agents as a running tool sees them. */
export interface ToolPeers {
  /** Agents whose name, description or skills match, alive ones first. From now on they may be asked. */
  find(query: string): Promise<readonly FoundAgent[]>;
  /**
   * Asks and waits for the answer. For tools that may be run again, because they are when the agent asks back: the same questions have to
   * follow in the same order then, and those that were answered are answered again. One at a time. Throws with a message for the model.
   */
  ask(question: ToolQuestion): Promise<PeerAnswer>;
}

export interface Peers {
  /** As for tools, and nothing is noted once `signal` has aborted. */
  find(query: string, signal: AbortSignal): Promise<readonly FoundAgent[]>;
  /**
   * Asks, or goes on with what an earlier life of this call had asked. Throws with a message for the model when the agent may not be
   * asked, cannot be reached or failed, InputRequired when it waits for approvals, and TurnStopped when a hook ended the turn instead.
   * `stop`: a hook wants the turn to end now that there is an answer.
   */
  ask(question: Question): Promise<PeerAnswer & { readonly stop?: string }>;
  /** Tells the peer that this call waits for that nobody will answer it, or listen. */
  leave(toolUseId: string): void;
}

/** A call cannot go on before approvals are answered; what they are is in the log. No failure: the turn is suspended. */
export class InputRequired extends Error {
  override readonly name = "InputRequired";
  readonly approvals: readonly Approval[];
  /** Of these, those that Notification hooks are to be told of. */
  readonly untold: readonly Approval[];

  constructor(approvals: readonly Approval[], untold: readonly Approval[] = []) {
    super("approvals are awaited");
    this.approvals = approvals;
    this.untold = untold;
  }
}
