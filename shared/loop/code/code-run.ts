// An agent of plain code in place of a model: what its turn is given, and how it ends.
import type { Said } from "../log/step.ts";

/** Runs the agent's code for one turn. A turn that resumes runs it from its start again. */
export type CodeRun = (calls: CodeCalls) => Promise<CodeOutcome>;

export interface CodeCalls {
  /** Aborts when the task is canceled, its wall time is spent, or the turn is suspended: then this run is given up. */
  readonly signal: AbortSignal;
  /** Runs a tool under the agent's permissions. Resolves to its result. Rejects with what it failed with. A run that resumes gets the same. */
  readonly call: (tool: string, input: Record<string, unknown>) => Promise<string>;
  /** Asks whoever sent the message. Resolves to the answer. A run that resumes gets the same. Rejects when nobody answers in time. */
  readonly ask: (question: Said) => Promise<Said>;
}

export type CodeOutcome =
  /** `text` may be empty. `isMessage`: the answer is the last message of the log instead of a task's artifact. */
  | { readonly is: "answer"; readonly text: string; readonly isMessage?: true }
  | { readonly is: "rejected"; readonly reason: string };

/** The agent's code is at fault. The message follows "The agent failed: ". */
export class CodeFailed extends Error {
  override readonly name = "CodeFailed";
}
