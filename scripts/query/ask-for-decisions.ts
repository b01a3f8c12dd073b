// Asks the person at the terminal about each approval. Only a clear yes or no counts as an answer.
import type { Approval, ApprovalAnswer } from "#shared/loop/log/approval.ts";

import type { Io } from "../terminal/io.ts";
import { Keyboard } from "../terminal/typing/keyboard.ts";
import { showApproval } from "./view/show-approval.ts";

/** Shows `text` and resolves to the typed line; undefined when the person, or `signal`, ended the prompt first. */
export type Prompt = (text: string, signal: AbortSignal) => Promise<string | undefined>;

/** The longest that a timer can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const QUESTION = "Allow it? [y/n] ";

/**
 * Answers to the approvals that have not expired meanwhile, perhaps none. Undefined when the person left without an answer: then no
 * approval is decided.
 */
export async function askForDecisions(
  approvals: readonly Approval[],
  prompt: Prompt,
  io: Io,
): Promise<readonly ApprovalAnswer[] | undefined> {
  const answers: ApprovalAnswer[] = [];
  for (const [index, approval] of approvals.entries()) {
    const { id, expiresAt } = approval;
    const which = approvals.length === 1 ? "" : `${index + 1} of ${approvals.length}: `;
    const leftMs = expiresAt - Date.now();
    if (leftMs > 0) {
      io.note(`\n${which}${showApproval(approval, Date.now())}`);
      const expiry = AbortSignal.timeout(Math.min(leftMs, MAX_TIMER_MS));
      const decision = await askUntilClear(prompt, AbortSignal.any([io.signal, expiry]));
      if (decision !== undefined) {
        answers.push({ id, decision });
        continue;
      }
      // The cursor stands after the question.
      io.note("");
      if (io.signal.aborted || !expiry.aborted) return undefined;
    }
    io.note("It was not answered in time and counts as denied.");
  }
  const now = Date.now();
  const expired = new Set(approvals.filter(({ expiresAt }) => expiresAt <= now).map(({ id }) => id));
  return answers.filter(({ id }) => !expired.has(id));
}

async function askUntilClear(prompt: Prompt, signal: AbortSignal): Promise<ApprovalAnswer["decision"] | undefined> {
  for (let text = QUESTION; ; text = `Please type yes or no. ${QUESTION}`) {
    const typed = await prompt(text, signal);
    if (typed === undefined) return undefined;
    const decision = decisionOf(typed);
    if (decision !== undefined) return decision;
  }
}

/** Undefined for anything but a clear yes or no. */
function decisionOf(typed: string): ApprovalAnswer["decision"] | undefined {
  // NFKC: Chinese and Japanese keyboards type full-width letters.
  const word = typed.normalize("NFKC").trim().toLowerCase();
  if (["y", "yes"].includes(word)) return "allow";
  return ["n", "no"].includes(word) ? "deny" : undefined;
}

export function promptOn(keyboard: Keyboard): Prompt {
  return async (text, signal) => keyboard.answer(text, signal);
}

/** Runs `work` with a prompt at the terminal, and releases the terminal at its end. */
export async function withPrompt<Result>(io: Io, work: (prompt: Prompt) => Promise<Result>): Promise<Result> {
  using keyboard = new Keyboard(process.stdin, process.stderr, { live: io.live });
  return await work(promptOn(keyboard));
}
