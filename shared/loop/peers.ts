// Other agents as tools see them. Names only: no URL passes through here.
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
  readonly agent: string;
  readonly message: string;
  /** Continues the n-th conversation that this thread opened; a new one when left out. */
  readonly thread: number | undefined;
  readonly signal: AbortSignal;
}

export interface Peers {
  /** Agents whose name, description or skills match, alive ones first. From now on they may be asked. */
  find(query: string): Promise<readonly FoundAgent[]>;
  /** Throws with a message for the model when the agent may not be asked, cannot be reached or failed. */
  ask(question: Question): Promise<{ readonly text: string; readonly thread: number }>;
}
