// Asks the person at the terminal about each approval. Only a clear yes is one; whoever goes away has said nothing.
import { createInterface, type Interface } from "node:readline/promises";

import type { Approval, ApprovalAnswer } from "#shared/loop/approval.ts";

import type { Io } from "../io.ts";
import { showApproval } from "./show-approval.ts";

/** One line typed after `text`; undefined when the person, or `signal`, ended it first. */
export type Prompt = (text: string, signal: AbortSignal) => Promise<string | undefined>;

/** The longest that a timer can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The answers to those of `approvals` that have not expired meanwhile; perhaps none. Undefined when the person went away without an
 * answer: then nothing was decided.
 */
export async function decide(
  approvals: readonly Approval[],
  prompt: Prompt,
  io: Io,
): Promise<readonly ApprovalAnswer[] | undefined> {
  const answers: ApprovalAnswer[] = [];
  for (const approval of approvals) {
    const { id, expiresAt } = approval;
    const leftMs = expiresAt - Date.now();
    if (leftMs > 0) {
      io.note(`\n${showApproval(approval, Date.now())}`);
      const expiry = AbortSignal.timeout(Math.min(leftMs, MAX_TIMER_MS));
      const typed = await prompt("Allow it? [y/N] ", AbortSignal.any([io.signal, expiry]));
      if (typed !== undefined) {
        answers.push({ id, decision: isYes(typed) ? "allow" : "deny" });
        continue;
      }
      // The cursor stands behind the question.
      io.note("");
      if (io.signal.aborted || !expiry.aborted) return undefined;
    }
    io.note("It was not answered in time, which counts as a no.");
  }
  const now = Date.now();
  const expired = new Set(approvals.filter(({ expiresAt }) => expiresAt <= now).map(({ id }) => id));
  return answers.filter(({ id }) => !expired.has(id));
}

function isYes(typed: string): boolean {
  return ["y", "yes"].includes(typed.trim().toLowerCase());
}

/** Asks on an interface that stays open. */
export function promptOn(lines: Interface): Prompt {
  return async (text, signal) => {
    try {
      return await lines.question(text, { signal });
    } catch (error) {
      // Ctrl-D, or the signal.
      if (error instanceof Error && error.name === "AbortError") return undefined;
      throw error;
    }
  };
}

/** Asks on an interface of its own, which is closed when `work` has ended. */
export async function withPrompt<Result>(work: (prompt: Prompt) => Promise<Result>): Promise<Result> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.on("SIGINT", () => process.emit("SIGINT"));
  try {
    return await work(promptOn(lines));
  } finally {
    lines.close();
  }
}
