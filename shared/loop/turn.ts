// A turn: from the user's message to the answer. Model and tools are passed in; nothing here knows the platform.
// Every step is appended to the log before the next begins, and the log alone says what comes next: a turn whose isolate died is
// gone on with by running it again over the same log.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import { ModelError, type Model } from "../models/model.ts";
import { ERROR } from "../tracing/names.ts";
import { costOf } from "../tracing/price.ts";
import type { Usage } from "../tracing/usage.ts";
import type { Approval } from "./approval.ts";
import { BudgetSpent, BudgetUnreachable, PriceUnknown, SUBTYPE, type Account } from "./budget.ts";
import { closeCalls } from "./close-calls.ts";
import { compactOnDemand } from "./compact.ts";
import { conclude, type Conclusion } from "./conclude.ts";
import { spentMessage } from "./exhaustion.ts";
import { denialsIn, type Denial } from "./denials.ts";
import { ledger, sinceLastAnswer, usageOf } from "./ledger.ts";
import type { AssistantStep } from "./model-call.ts";
import type { InputOf } from "./hooks/input.ts";
import { tooLong } from "./message-size.ts";
import { MAX_TIMER_MS } from "./until-aborted.ts";
import { nextAnswer } from "./next-answer.ts";
import { settleEarlier } from "./reserved-call.ts";
import { isModelCall, type Step } from "./step.ts";
import { TurnStopped } from "./stopped.ts";
import type { OutputShape } from "./structured-output.ts";
import { runToolCalls, type ToolRuntime } from "./tool-calls.ts";

export interface Turn extends ToolRuntime {
  readonly system: string;
  /** Tools that the API itself runs, e.g. Claude's web search. */
  readonly serverTools: readonly ToolUnion[];
  readonly model: Model;
  /** Milliseconds of work that the task has cost before. */
  readonly workedMs: number;
  /** The account of the whole query; undefined where the job sets it no limit. */
  readonly account: Account | undefined;
  /** Milliseconds that the whole query may take, where this turn answers for it and its time is limited. */
  readonly queryWallMs: number | undefined;
  /** What the answer has to be, where it is to be more than text. */
  readonly output: OutputShape | undefined;
  /** Set when the thread begins, or goes on after its session had ended. */
  readonly sessionStart: "startup" | "resume" | undefined;
  /** Whether another agent asks. */
  readonly isFromPeer: boolean;
  /** Aborts when the task is canceled. */
  readonly signal: AbortSignal;
}

interface Ended {
  /** Of this agent and those it asked, over all lives of the turn. */
  readonly usage: Usage;
  /** Model calls, over all lives of the turn. */
  readonly turns: number;
  /** US dollars of this agent's model calls; undefined where the price is not known. */
  readonly costUsd: number | undefined;
  readonly denials: readonly Denial[];
}

/** Result subtypes as the Claude Agent SDK names them; those of tokens, wall time, tool calls and cancellation are ours. */
export type EndedTurn = Ended & Conclusion;

/** It waits for these to be answered. */
export interface SuspendedTurn {
  readonly subtype: "suspended";
  readonly approvals: readonly Approval[];
}

export type TurnResult = EndedTurn | SuspendedTurn;

class WallTimeSpent extends Error {
  override readonly name = "WallTimeSpent";
}

/** Never rejects for what a model, a tool or a hook does: failures are results. */
export async function runTurn(turn: Turn): Promise<TurnResult> {
  const { signal } = turn;
  const wall = new AbortController();
  const limitMs = wallLimit(turn);
  const timer = setTimeout(
    () => wall.abort(new WallTimeSpent(`The wall-time budget of ${limitMs / 1000} s was spent.`)),
    Math.min(MAX_TIMER_MS, Math.max(0, limitMs - turn.workedMs)),
  );
  let conclusion: Conclusion | SuspendedTurn;
  try {
    conclusion = await loop(turn, AbortSignal.any([signal, wall.signal]));
  } catch (error) {
    const isOver = wall.signal.aborted && !signal.aborted;
    conclusion = isOver ? await overtime(turn) : failureOf(error, turn);
  } finally {
    clearTimeout(timer);
  }
  if (conclusion.subtype === "suspended") return conclusion;
  if (conclusion.subtype !== "success") {
    const by = conclusion.subtype === "canceled" ? "cancel" : "failure";
    closeCalls(turn, { by, reason: conclusion.message });
    await tellOfFailure(turn, conclusion);
  }
  return { ...conclusion, ...sumOf(turn) };
}

function sumOf(turn: Turn): Ended {
  const own = ownSteps(turn);
  const { price } = turn.model;
  const calls = own.filter(isModelCall);
  const cost = price && calls.reduce((sum, { usage }) => sum + costOf(usage, price), 0);
  return {
    usage: usageOf(own),
    turns: own.filter(({ kind }) => kind === "assistant").length,
    costUsd: cost,
    denials: denialsIn(own),
  };
}

function ownSteps({ log, begin }: Pick<Turn, "log" | "begin">): readonly Step[] {
  return log.slice(begin);
}

/** Milliseconds of work that the turn may take: the agent's own limit, or what the whole query may. */
export function wallLimit({ budget, queryWallMs = Number.POSITIVE_INFINITY }: Pick<Turn, "budget" | "queryWallMs">) {
  return Math.min(budget.maxWallMs, queryWallMs);
}

type Failed = Exclude<Conclusion, { subtype: "success" }>;

/** How long the account may take to say who has spent what, in milliseconds: who asked has waited long enough. */
const REPORT_MS = 2_000;

/** The time is over. Where it is the whole query's, no agent that works on it may go on either. */
async function overtime(turn: Turn): Promise<Failed> {
  const { account, queryWallMs } = turn;
  const subtype = "error_max_wall_time";
  if (account && queryWallMs !== undefined && queryWallMs === wallLimit(turn)) {
    try {
      const exhaustion = await account.timeIsUp(queryWallMs, AbortSignal.timeout(REPORT_MS));
      return { subtype, message: spentMessage(exhaustion), errorType: ERROR.timeout };
    } catch {
      // It cannot be reached, so no agent of the query makes a model call either.
    }
  }
  const calls = ownSteps(turn).filter(({ kind }) => kind === "assistant").length;
  const answer = unfinished(ownSteps(turn));
  const where = answer && hasCalls(answer) ? `in the tool calls of model call ${calls}` : `in model call ${calls + 1}`;
  const message = `The wall-time budget of ${wallLimit(turn) / 1000} s was spent ${where}.`;
  return { subtype, message, errorType: ERROR.timeout };
}

function failureOf(error: unknown, turn: Turn): Failed {
  const failed = (subtype: Failed["subtype"], message: string, errorType: string) =>
    ({ subtype, message, errorType }) as const;
  if (turn.signal.aborted) return failed("canceled", "The task was canceled.", ERROR.canceled);
  if (error instanceof BudgetSpent) return failed(SUBTYPE[error.kind], error.message, SUBTYPE[error.kind]);
  if (error instanceof BudgetUnreachable || error instanceof PriceUnknown || error instanceof TurnStopped)
    return failed("error_during_execution", error.message, error.name);
  if (error instanceof ModelError) return failed("error_during_execution", error.message, error.code);
  throw error;
}

async function tellOfFailure(turn: Turn, failed: Failed): Promise<void> {
  if (failed.subtype === "canceled") return;
  const error = STOP_FAILURES[failed.errorType] ?? "unknown";
  await turn.hook({ hook_event_name: "StopFailure", error, error_details: failed.message }, turn.signal);
}

/** Of failures of the model, by `errorType`, what the Claude Agent SDK calls them. */
const STOP_FAILURES: Readonly<Record<string, InputOf<"StopFailure">["error"]>> = {
  unauthorized: "authentication_failed",
  forbidden: "authentication_failed",
  rate_limited: "rate_limit",
  overloaded: "overloaded",
  invalid_request: "invalid_request",
  unavailable: "server_error",
  connection_lost: "server_error",
  broken_stream: "server_error",
  stalled: "server_error",
  max_tokens: "max_output_tokens",
};

async function loop(turn: Turn, signal: AbortSignal): Promise<Conclusion | SuspendedTurn> {
  await settleEarlier(turn);
  const first = turn.log[turn.begin];
  if (first?.kind === "user" && first.command === "compact") return compactOnDemand(turn, first.text, signal);
  const refused = endedByHook(ownSteps(turn)) ?? (await takePrompt(turn, signal));
  if (refused) return refused;
  let left = unfinished(ownSteps(turn));
  let mayHaveCut = turn.life > 1;
  for (;;) {
    const answer = left ?? (await nextAnswer(turn, signal, mayHaveCut));
    [left, mayHaveCut] = [undefined, false];
    if (hasCalls(answer)) {
      const approvals = await runToolCalls(answer, turn, signal);
      if (approvals.length > 0) return { subtype: "suspended", approvals };
    } else if (answer.stopReason !== "pause_turn") {
      const conclusion = await conclude(turn, answer, signal);
      if (conclusion) return conclusion;
    }
  }
}

/** The answer that an earlier life, or a round of approvals, left to be finished. */
function unfinished(own: readonly Step[]): AssistantStep | undefined {
  const answer = own.findLast((step) => step.kind === "assistant");
  if (!answer) return undefined;
  const since = sinceLastAnswer(own);
  // The blocks first: an answer with calls may say that it pauses, or anything else.
  if (!hasCalls(answer))
    return answer.stopReason === "pause_turn" || since.some(({ kind }) => kind === "note") ? undefined : answer;
  const states = ledger(since);
  const isOpen = answer.content.some((block) => block.type === "tool_use" && states.get(block.id)?.is !== "settled");
  // A life that ended after the last result had not yet told the hooks of the batch, as far as the log knows.
  const isTold = since.some((step) => step.kind === "note" && step.about === "batch");
  return isOpen || !isTold ? answer : undefined;
}

function hasCalls({ content }: AssistantStep): boolean {
  return content.some((block) => block.type === "tool_use");
}

/** What an earlier life was told by a hook to end with. */
function endedByHook(own: readonly Step[]): Conclusion | undefined {
  const step = own.findLast(({ kind }) => kind === "blocked" || kind === "stopped");
  if (step?.kind !== "blocked" && step?.kind !== "stopped") return undefined;
  return { subtype: "error_during_execution", message: step.reason, errorType: ERROR.refused };
}

function refuse({ append }: Turn, reason: string): Conclusion {
  append({ kind: "blocked", reason });
  return { subtype: "error_during_execution", message: reason, errorType: ERROR.refused };
}

/** The hooks of a message that has just come. */
async function takePrompt(turn: Turn, signal: AbortSignal): Promise<Conclusion | undefined> {
  const own = ownSteps(turn);
  const [first] = own;
  if (own.length !== 1 || first?.kind !== "user") return undefined;
  const context: string[] = [];
  let initial: string | undefined;
  if (turn.sessionStart) {
    const started = await turn.hook(
      { hook_event_name: "SessionStart", source: turn.sessionStart, model: turn.model.name },
      signal,
    );
    const reason = started.block ?? started.stop;
    if (reason !== undefined) return refuse(turn, reason);
    if (started.initialUserMessage) initial = started.initialUserMessage;
    if (started.additionalContext) context.push(started.additionalContext);
  }
  const source = turn.isFromPeer ? "system" : "user";
  const said = await turn.hook({ hook_event_name: "UserPromptSubmit", prompt: first.text, source }, signal);
  const reason = said.block ?? said.stop;
  if (reason !== undefined) return refuse(turn, reason);
  if (said.additionalContext) context.push(said.additionalContext);
  const whole = [first.text, ...(initial === undefined ? [] : [initial]), ...context].join("\n\n");
  const unfit = await tooLong(turn, whole, signal);
  if (unfit !== undefined) return refuse(turn, unfit);
  if (initial !== undefined) turn.append({ kind: "note", about: "initial", text: initial });
  if (context.length > 0) turn.append({ kind: "note", about: "context", text: context.join("\n\n") });
  return undefined;
}
