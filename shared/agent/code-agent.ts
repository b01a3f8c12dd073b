// What an agent of plain code is given for a turn, and how it answers.
import type { Artifact, Message, Part } from "@a2a-js/sdk";

/**
 * One turn. A turn that resumes after an answer or a crash runs the code from its start again: `call` and `ask` then return what they
 * returned before, so the code has to make the same ones in the same order.
 */
export interface CodeTurn {
  /** The message, as it was said. */
  readonly message: Message;
  readonly contextId: string;
  readonly taskId: string;
  /** The id of the agent. */
  readonly agent: string;
  /** The agent's `config` of the job file. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The Worker's bindings. */
  readonly env: Readonly<Record<string, unknown>>;
  /** Aborts when the task is canceled, its wall time is spent, or the turn waits for an answer. */
  readonly signal: AbortSignal;
  /** Tells those who watch what the agent does. Later words replace these. */
  readonly say: (text: string) => void;
  /** Adds a piece to the answer's text, for those who watch. */
  readonly write: (text: string) => void;
  /** Gives the task an artifact. Throws RangeError for one of more than 1.8 MB. */
  readonly artifact: (artifact: CodeArtifact) => void;
  /**
   * Runs one of the agent's tools as a model would: with permissions, approvals, hooks, budgets and traces. `query_agent` asks another
   * agent. Calls without an `await` between them run side by side. Rejects with what the tool failed with, or why it was denied.
   */
  readonly call: (tool: string, input: Record<string, unknown>) => Promise<string>;
  /** Asks whoever sent the message. The task waits for the answer, and survives restarts meanwhile. Rejects when nobody answers in time. */
  readonly ask: (question: string | readonly Part[]) => Promise<Message>;
}

export type CodeArtifact = Pick<Artifact, "artifactId" | "parts"> &
  Partial<Artifact> & {
    /** Adds the parts to those that the artifact has. */
    readonly append?: boolean;
    /** More parts follow. The artifact is kept with its last. */
    readonly more?: boolean;
  };

/** Answers with a Message instead of a Task (A2A 1.0, section 3.1.1). The client sees no task. */
export class Reply {
  readonly parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.parts = parts;
  }
}

/** Refuses the message: the task ends as rejected. */
export class Rejection {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The answer's text; what was written when left out. */
export type CodeAnswer = string | undefined | void | Reply | Rejection;

export type RunCode = (turn: CodeTurn) => Promise<CodeAnswer> | CodeAnswer;
