// Shows an answer: as it streams where somebody watches, whole and alone where it goes into a file or a pipe.
import { CliError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { screenOf } from "../screen.ts";
import { manyLines } from "../terminal-text.ts";
import { type Answer, ask, type Question } from "./ask.ts";
import { showTrace } from "./show-trace.ts";

interface Asked extends Omit<Question, "onText" | "onTrace" | "signal"> {
  readonly job: string;
  readonly timeoutMs: number;
  /** Draws the answer's trace below it. */
  readonly trace?: boolean;
}

/**
 * Asks, and prints the answer's text. Throws CliError when the task did not complete; at a timeout or an interruption
 * the task is canceled first.
 */
export async function askAndPrint(question: Asked, io: Io): Promise<Answer> {
  const live = io.interactive;
  const shown = screenOf(process.stdout).isTerminal ? manyLines : String;
  let printed = "";
  const answer = await askInTime(question, io, (text, fresh) => {
    if (!live) return;
    // What the model said before it used a tool stays on the screen, apart from what follows.
    if (fresh && printed.trim() !== "") io.write("\n\n");
    printed = fresh ? text : printed + text;
    io.write(shown(text));
  });
  if (live) io.print("");
  else if (answer.answer !== "") io.print(shown(answer.answer));
  if (question.trace === true) await showTrace(question.job, answer.traceId, io);
  requireCompletion(question.job, answer);
  return answer;
}

/** Asks within the time, without printing the answer. Throws CliError when time is up or the user has interrupted. */
export async function askInTime(question: Asked, io: Io, onText: Question["onText"] = () => {}): Promise<Answer> {
  const { job, trace = false, timeoutMs, ...rest } = question;
  let traceId: string | undefined;
  const onTrace: Question["onTrace"] = (id) => void (traceId = id);
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    const message = `There was no answer within ${timeoutMs / 1000} s; the task was canceled.`;
    timeout.abort(new CliError("failed", message, "Give it more time: --timeout 10m"));
  }, timeoutMs);
  try {
    return await ask({ ...rest, onText, onTrace, signal: AbortSignal.any([io.signal, timeout.signal]) });
  } catch (error) {
    // What there is of the trace says best where the time went.
    if (trace && traceId !== undefined && !io.signal.aborted) await showTrace(job, traceId, io);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Throws CliError unless the task completed. */
export function requireCompletion(job: string, { state, reason, traceId }: Answer): void {
  if (state === "completed") return;
  const why = reason === "" ? "" : `: ${reason}`;
  const trace = traceId === null ? "" : `What happened: troupe traces show ${traceId.slice(0, 8)}. `;
  throw new CliError("failed", `The task ended as ${state}${why}`, `${trace}More in: troupe logs ${job}`);
}
