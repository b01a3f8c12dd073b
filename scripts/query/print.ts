// Prints an answer: while it streams to a person, at its end to a file or a pipe. Where the task waits for approvals,
// asks the person at the terminal, or says how to answer.
import type { Part } from "@a2a-js/sdk";

import { CliError } from "../terminal/cli-error.ts";
import { troupe } from "../terminal/hint.ts";
import type { Io } from "../terminal/io.ts";
import { paints, screenOf } from "../terminal/screen.ts";
import { manyLines } from "../terminal/terminal-text.ts";
import { LiveTrace } from "../traces/store/live-trace.ts";
import { type Answer, ask, type AskListener, type Request } from "./ask.ts";
import { askForDecisions, type Prompt, withPrompt } from "./ask-for-decisions.ts";
import { commandFor, howToAnswer, type AgentAddress } from "./reply-command.ts";
import { showApproval } from "./view/show-approval.ts";
import { showTrace } from "./view/show-trace.ts";
import { answerView } from "./view/answer-view.ts";
import { summaryLines } from "./view/summary.ts";
import { TurnWatch } from "./view/turn-watch.ts";
import { whatRan } from "./view/what-ran.ts";

export interface AskOptions extends AgentAddress {
  readonly timeoutMs: number;
  /** Draws the answer's trace below it. */
  readonly trace?: boolean;
  /** The agent's name, shown while it works. */
  readonly name?: string;
  /** Learns the session's id as soon as it is known. */
  readonly onSession?: (contextId: string) => void;
}

interface Question {
  readonly text: string;
  /** contextId of the session to resume. */
  readonly session: string | undefined;
  readonly files?: readonly Part[];
}

/** As printAnswer, for a question. */
export async function askAndPrint(question: AskOptions & Question, io: Io, prompt?: Prompt): Promise<Answered> {
  const { text, session, files = [], ...asked } = question;
  return printAnswer(asked, { is: "question", text, session, files }, io, prompt);
}

/** An answer, and what it cost over all agents in US dollars; null where that is not known. */
export interface Answered extends Answer {
  readonly costUsd: number | null;
}

/**
 * Sends the request and prints the answer's text, or the agent's question. Throws CliError when the task neither completed nor asks. At a timeout or an interruption
 * the task is canceled first, except while it waits for an approval; a person is told what had been done.
 */
export async function printAnswer(asked: AskOptions, first: Request, io: Io, prompt?: Prompt): Promise<Answered> {
  const view = answerView(io);
  const isWatched = view !== undefined || io.live !== undefined;
  const { isTerminal } = screenOf(process.stdout);
  let answer: Answer;
  let trace = new LiveTrace();
  for (let request = first; ;) {
    const watch = isWatched ? new TurnWatch(io, asked.job, asked.name ?? asked.agent ?? "agent") : undefined;
    let [traceId, isCanceled]: [string | undefined, boolean | undefined] = [undefined, undefined];
    try {
      answer = await askInTime(asked, request, io, {
        onText: (text, fresh) => view?.take(text, fresh),
        onTrace: (id) => {
          traceId = id;
          watch?.begin(id);
        },
        onCanceled: (done) => void (isCanceled = done),
      });
    } catch (error) {
      view?.end();
      await watch?.end();
      if (isWatched && isCanceled !== undefined) io.note(await interruptedReport(asked, traceId, isCanceled, io));
      else if (isWatched && io.signal.aborted)
        io.note(request.is === "look" ? "\nThe task goes on." : "\nThe message was not sent.");
      throw error;
    }
    view?.end();
    if (watch !== undefined) trace = await watch.end();
    if (answer.approvals.length === 0) break;
    const { taskId, answer: said } = answer;
    if (!io.interactive) for (const approval of answer.approvals) io.note(`${showApproval(approval, Date.now())}\n`);
    const answers = io.interactive ? await askPerson(asked, answer, io, prompt) : undefined;
    if (answers === undefined) throw approvalNeeded(asked, answer);
    request = answers.length === 0 ? { is: "look", taskId } : { is: "answers", taskId, answers, shown: said };
  }
  if (view === undefined && answer.answer !== "") io.print(isTerminal ? manyLines(answer.answer) : answer.answer);
  if (asked.trace === true && asked.job !== undefined) await showTrace(asked.job, answer.traceId, io);
  if (isWatched) {
    const { dim } = paints(screenOf(process.stderr));
    const lines = summaryLines(answer, asked.job, trace, screenOf(process.stderr).columns - 1);
    if (lines.length > 0) io.note(`\n${lines.map(dim).join("\n")}`);
  }
  if (asksBack(answer)) io.print(isTerminal ? manyLines(answer.reason) : answer.reason);
  else requireCompletion(asked, answer);
  return { ...answer, costUsd: trace.summary?.costUsd ?? null };
}

/** Whether the agent waits for an answer in words. */
export function asksBack({ state, approvals }: Answer): boolean {
  return state === "input-required" && approvals.length === 0;
}

async function interruptedReport(
  { job }: AskOptions,
  traceId: string | undefined,
  isCanceled: boolean,
  io: Io,
): Promise<string> {
  const state = isCanceled
    ? "The task was canceled."
    : "The agent did not confirm that the task was canceled: it may have ended before, or go on.";
  return `\n${state}\n${await whatRan(job, traceId ?? null, io)}`;
}

type Heard = Partial<Pick<AskListener, "onText" | "onTrace" | "onCanceled">>;

/** Asks without printing the answer. Throws CliError when the time is up or the user has interrupted. */
export async function askInTime(asked: AskOptions, request: Request, io: Io, heard: Heard = {}): Promise<Answer> {
  const { trace = false, timeoutMs, onSession, ...address } = asked;
  let traceId: string | undefined;
  const timeout = new AbortController();
  const canceled = request.is === "look" ? "the task still runs" : "the task was canceled";
  const timer = setTimeout(() => {
    const message = `There was no answer within ${timeoutMs / 1000} s; ${canceled}.`;
    timeout.abort(new CliError("failed", message, "Give it more time: --timeout 10m"));
  }, timeoutMs);
  try {
    return await ask(address, request, {
      signal: AbortSignal.any([io.signal, timeout.signal]),
      onText: (text, fresh) => heard.onText?.(text, fresh),
      onTrace: (id) => {
        traceId = id;
        heard.onTrace?.(id);
      },
      onSession: (contextId) => onSession?.(contextId),
      onCanceled: (done) => heard.onCanceled?.(done),
      onBusy: (why) => io.note(manyLines(why)),
      onBroken: () => io.note("\nThe connection broke; trying again …"),
    });
  } catch (error) {
    // The trace so far shows where the time went.
    if (trace && traceId !== undefined && address.job !== undefined && !io.signal.aborted)
      await showTrace(address.job, traceId, io);
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
  if (asksBack(answer))
    throw new CliError(
      "input_required",
      "The agent waits for an answer.",
      `Answer: ${commandFor(address, answer.taskId)} "…"`,
    );
  const why = reason === "" ? "" : `: ${reason}`;
  const trace =
    traceId === null || address.job === undefined
      ? ""
      : `What happened: ${troupe`traces show ${traceId.slice(0, 8)}`}. `;
  const logs = address.job === undefined ? "" : `More in: ${troupe`logs ${address.job}`}`;
  throw new CliError("failed", `The task ended as ${state}${why}`, `${trace}${logs}`.trim());
}

/** Answers of the person at the terminal; undefined when the person has left. Throws CliError at Ctrl-C. */
async function askPerson(asked: AskOptions, { taskId, approvals }: Answer, io: Io, prompt?: Prompt) {
  const ask = async (own: Prompt) => askForDecisions(approvals, own, io);
  const answers = await (prompt === undefined ? withPrompt(io, ask) : ask(prompt));
  if (answers !== undefined || !io.signal.aborted) return answers;
  const how = howToAnswer(asked, taskId, approvals);
  throw new CliError("interrupted", "Nothing was answered; the task still waits.", how);
}

function approvalNeeded(address: AgentAddress, { taskId, approvals }: Answer): CliError {
  const what = approvals.length === 1 ? "an approval" : `${approvals.length} approvals`;
  const message = `The task waits for ${what}. No answer counts as denied.`;
  return new CliError("input_required", message, howToAnswer(address, taskId, approvals));
}
