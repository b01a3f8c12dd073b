// Prints an answer: while it streams to a person, at its end to a file or a pipe. Where the task waits for approvals,
// asks the person at the terminal, or says how to answer.
import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import type { Io } from "../terminal/io.ts";
import { screenOf } from "../terminal/screen.ts";
import { manyLines } from "../terminal/terminal-text.ts";
import { WordWrap } from "../terminal/word-wrap.ts";
import { type Answer, ask, type Request } from "./ask.ts";
import { askForDecisions, type Prompt, withPrompt } from "./ask-for-decisions.ts";
import { howToAnswer, type AgentAddress } from "./reply-command.ts";
import type { Listener } from "./progress.ts";
import { showApproval } from "./show-approval.ts";
import { showTrace } from "./show-trace.ts";

export interface AskOptions extends AgentAddress {
  readonly timeoutMs: number;
  /** Draws the answer's trace below it. */
  readonly trace?: boolean;
}

interface Question {
  readonly text: string;
  /** contextId of the session to resume. */
  readonly session: string | undefined;
}

/** As printAnswer, for a question. */
export async function askAndPrint(question: AskOptions & Question, io: Io, prompt?: Prompt): Promise<Answer> {
  const { text, session, ...asked } = question;
  return printAnswer(asked, { is: "question", text, session }, io, prompt);
}

/**
 * Sends the request and prints the answer's text. Throws CliError when the task did not complete. At a timeout or an interruption
 * the task is canceled first, except while it waits for an approval.
 */
export async function printAnswer(asked: AskOptions, first: Request, io: Io, prompt?: Prompt): Promise<Answer> {
  const live = io.interactive;
  const { isTerminal } = screenOf(process.stdout);
  const shown = isTerminal ? manyLines : String;
  const wrap = new WordWrap(() => screenOf(process.stdout).columns);
  let printed = "";
  const onText: Listener["onText"] = (text, fresh) => {
    if (!live) return;
    // Text that the model wrote before a tool call stays on the screen, with an empty line after it.
    if (fresh && text !== "" && printed.trim() !== "") io.write(`${wrap.take("\n")}\n`);
    printed = fresh ? text : printed + text;
    io.write(isTerminal ? wrap.take(shown(text)) : text);
  };
  let answer: Answer;
  for (let request = first; ;) {
    try {
      answer = await askInTime(asked, request, io, onText);
    } finally {
      if (isTerminal) io.write(wrap.end());
    }
    if (live && (printed !== "" || answer.approvals.length === 0)) io.print("");
    if (answer.approvals.length === 0) break;
    const { taskId, answer: said } = answer;
    if (!live) for (const approval of answer.approvals) io.note(`${showApproval(approval, Date.now())}\n`);
    const answers = live ? await askPerson(asked, answer, io, prompt) : undefined;
    if (answers === undefined) throw approvalNeeded(asked, answer);
    request = answers.length === 0 ? { is: "look", taskId } : { is: "answers", taskId, answers, shown: said };
  }
  if (!live && answer.answer !== "") io.print(shown(answer.answer));
  if (asked.trace === true) await showTrace(asked.job, answer.traceId, io);
  requireCompletion(asked, answer);
  return answer;
}

/** Asks without printing the answer. Throws CliError when the time is up or the user has interrupted. */
export async function askInTime(
  asked: AskOptions,
  request: Request,
  io: Io,
  onText: Listener["onText"] = () => {},
): Promise<Answer> {
  const { trace = false, timeoutMs, ...address } = asked;
  let traceId: string | undefined;
  const onTrace: Listener["onTrace"] = (id) => void (traceId = id);
  const onBusy = (why: string) => io.note(manyLines(why));
  const onBroken = () => io.note("\nThe connection broke; trying again …");
  const timeout = new AbortController();
  const canceled = request.is === "look" ? "the task still runs" : "the task was canceled";
  const timer = setTimeout(() => {
    const message = `There was no answer within ${timeoutMs / 1000} s; ${canceled}.`;
    timeout.abort(new CliError("failed", message, "Give it more time: --timeout 10m"));
  }, timeoutMs);
  try {
    const signal = AbortSignal.any([io.signal, timeout.signal]);
    return await ask(address, request, { onText, onTrace, onBroken, onBusy, signal });
  } catch (error) {
    // The trace so far shows where the time went.
    if (trace && traceId !== undefined && !io.signal.aborted) await showTrace(address.job, traceId, io);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Throws CliError unless the task completed. */
export function requireCompletion(address: AgentAddress, answer: Answer): void {
  const { state, reason, traceId, approvals } = answer;
  if (state === "completed") return;
  if (approvals.length > 0) throw approvalNeeded(address, answer);
  const why = reason === "" ? "" : `: ${reason}`;
  const trace = traceId === null ? "" : `What happened: ${troupe`traces show ${traceId.slice(0, 8)}`}. `;
  throw new CliError("failed", `The task ended as ${state}${why}`, `${trace}More in: ${troupe`logs ${address.job}`}`);
}

/** Answers of the person at the terminal; undefined when the person has left. Throws CliError at Ctrl-C. */
async function askPerson(asked: AskOptions, { taskId, approvals }: Answer, io: Io, prompt?: Prompt) {
  const ask = async (own: Prompt) => askForDecisions(approvals, own, io);
  const answers = await (prompt === undefined ? withPrompt(ask) : ask(prompt));
  if (answers !== undefined || !io.signal.aborted) return answers;
  const how = howToAnswer(asked, taskId, approvals);
  throw new CliError("interrupted", "Nothing was answered; the task still waits.", how);
}

function approvalNeeded(address: AgentAddress, { taskId, approvals }: Answer): CliError {
  const what = approvals.length === 1 ? "an approval" : `${approvals.length} approvals`;
  const message = `The task waits for ${what}. No answer counts as denied.`;
  return new CliError("input_required", message, howToAnswer(address, taskId, approvals));
}
