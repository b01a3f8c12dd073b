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
  /** Lease state at the registry: alive, suspect or dead; remote for an agent of others. */
  readonly state: string;
}

/** A tool's question to another agent. */
export interface ToolQuestion {
  readonly agent: string;
  readonly message: string;
  /** Continues the n-th conversation that this thread opened. Opens a new one when left out. */
  readonly thread?: number | undefined;
}

/** The same, with the call that asks. */
export interface Question extends ToolQuestion {
  /** The span of the tool call that asks. */
  readonly parent: TraceContext;
  readonly toolUseId: string;
  /** Its place among the questions of the call, from 1. */
  readonly ordinal: number;
  /** The same for every repetition of this call, and for no other. */
  readonly idempotencyKey: string;
  /** The tool's input, where a hook or a person changed the model's. */
  readonly input?: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

interface PeerAnswer {
  readonly text: string;
  /** The number of the conversation, to continue it. */
  readonly thread: number;
}

/** Other agents as a running tool sees them. */
export interface ToolPeers {
  /** Finds agents by name, description or skills, alive ones first. From now on they may be asked. */
  find(query: string): Promise<readonly FoundAgent[]>;
  /**
   * Asks, and waits for the answer. Only for tools that may run again, because they do when the agent asks back: then they have to ask the
   * same questions in the same order, and get earlier answers again. One question at a time. Throws with a message for the model.
   */
  ask(question: ToolQuestion): Promise<PeerAnswer>;
}

export interface Peers {
  /** As for tools. Notes nothing once `signal` has aborted. */
  find(query: string, signal: AbortSignal): Promise<readonly FoundAgent[]>;
  /**
   * Asks, or resumes what an earlier life of this call had asked. Throws with a message for the model when the agent may not be asked,
   * cannot be reached or failed; InputRequired when it waits for approvals; TurnStopped when a hook ended the turn instead.
   * `stop`: why a hook ends the turn after the answer.
   */
  ask(question: Question): Promise<PeerAnswer & { readonly stop?: string }>;
  /** Cancels the task of the peer that this call waits for. */
  leave(toolUseId: string): void;
}

/** The call waits for approvals, which are in the log. The turn is suspended. */
export class InputRequired extends Error {
  override readonly name = "InputRequired";
  readonly approvals: readonly Approval[];
  /** Approvals that Notification hooks have not heard of. */
  readonly untold: readonly Approval[];

  constructor(approvals: readonly Approval[], untold: readonly Approval[] = []) {
    super("approvals are awaited");
    this.approvals = approvals;
    this.untold = untold;
  }
}
