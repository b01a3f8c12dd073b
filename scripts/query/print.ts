// Shows an answer: as it streams where somebody watches, whole and alone where it goes into a file or a pipe.
import { CliError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { type Answer, ask, type Question } from "./ask.ts";

type Asked = Omit<Question, "onText" | "signal"> & { readonly job: string; readonly timeoutMs: number };

/**
 * Asks, and prints the answer's text. Throws CliError when the task did not complete; at a timeout or an interruption
 * the task is canceled first.
 */
export async function askAndPrint(question: Asked, io: Io): Promise<Answer> {
  const live = io.interactive;
  let printed = "";
  const answer = await askInTime(question, io, (text, fresh) => {
    if (!live) return;
    // What the model said before it used a tool stays on the screen, apart from what follows.
    if (fresh && printed.trim() !== "") io.write("\n\n");
    printed = fresh ? text : printed + text;
    io.write(text);
  });
  if (live) io.print("");
  else if (answer.answer !== "") io.print(answer.answer);
  requireCompletion(question.job, answer);
  return answer;
}

/** Asks within the time, without printing. Throws CliError when time is up or the user has interrupted. */
export async function askInTime(question: Asked, io: Io, onText: Question["onText"] = () => {}): Promise<Answer> {
  const { job: _, timeoutMs, ...rest } = question;
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    const message = `There was no answer within ${timeoutMs / 1000} s; the task was canceled.`;
    timeout.abort(new CliError("failed", message, "Give it more time: --timeout 10m"));
  }, timeoutMs);
  try {
    return await ask({ ...rest, onText, signal: AbortSignal.any([io.signal, timeout.signal]) });
  } finally {
    clearTimeout(timer);
  }
}

/** Throws CliError unless the task completed. */
export function requireCompletion(job: string, { state, reason }: Answer): void {
  if (state === "completed") return;
  const why = reason === "" ? "" : `: ${reason}`;
  throw new CliError("failed", `The task ended as ${state}${why}`, `More in: troupe logs ${job}`);
}
