// A turn: from the user's message to the answer. Model and tools are passed in; nothing here knows the platform.
// Every step is appended to the log before the next begins, and the log alone says what comes next: a turn whose isolate died is
// gone on with by running it again over the same log.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import { ModelError, type Model } from "../models/model.ts";
import { Stopwatch } from "../time/stopwatch.ts";
import { ERROR } from "../tracing/names.ts";
import { costOf } from "../tracing/price.ts";
import type { Usage } from "../tracing/usage.ts";
import type { Approval } from "./approval.ts";
import { BudgetSpent, BudgetUnreachable, PriceUnknown, SUBTYPE, type Account } from "./budget.ts";
import { compactOnDemand } from "./compact.ts";
import { conclude, type Conclusion } from "./conclude.ts";
import { denialsIn, denyOpen, type Denial } from "./denials.ts";
import { ledger, sinceLastAnswer, usageOf } from "./ledger.ts";
import type { AssistantStep } from "./model-call.ts";
import type { InputOf } from "./hooks/input.ts";
import { nextAnswer } from "./next-answer.ts";
import { settleEarlier } from "./reserved-call.ts";
import type { Step } from "./step.ts";
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
  const { budget, signal } = turn;
  const wall = new AbortController();
  const time = Stopwatch.start(budget.maxWallMs - turn.workedMs, () =>
    wall.abort(new WallTimeSpent(`The wall-time budget of ${budget.maxWallMs / 1000} s was spent.`)),
  );
  let conclusion: Conclusion | SuspendedTurn;
  try {
    conclusion = await loop(turn, AbortSignal.any([signal, wall.signal]));
  } catch (error) {
    conclusion = failureOf(error, turn, wall.signal);
  } finally {
    time.stop();
  }
  if (conclusion.subtype === "suspended") return conclusion;
  if (conclusion.subtype !== "success") {
    leaveWaitingPeers(turn);
    for (const step of denyOpen(ownSteps(turn), conclusion.message)) turn.append(step);
    await tellOfFailure(turn, conclusion);
  }
  return { ...conclusion, ...sumOf(turn) };
}

/** Peers that ask back are told that nobody will answer. */
function leaveWaitingPeers(turn: Turn): void {
  for (const [toolUseId, { is }] of ledger(sinceLastAnswer(ownSteps(turn))))
    if (is === "peer_waits") turn.call.peers.leave(toolUseId);
}

function sumOf(turn: Turn): Ended {
  const own = ownSteps(turn);
  const { price } = turn.model;
  const calls = own.filter((step) => step.kind === "assistant" || step.kind === "compaction");
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

function failureOf(error: unknown, turn: Turn, wall: AbortSignal): Conclusion {
  const failed = (subtype: Exclude<Conclusion["subtype"], "success">, message: string, errorType: string) =>
    ({ subtype, message, errorType }) as const;
  if (turn.signal.aborted) return failed("canceled", "The task was canceled.", ERROR.canceled);
  if (wall.aborted) {
    const turns = ownSteps(turn).filter(({ kind }) => kind === "assistant").length + 1;
    const message = `The wall-time budget of ${turn.budget.maxWallMs / 1000} s was spent in model call ${turns}.`;
    return failed("error_max_wall_time", message, ERROR.timeout);
  }
  if (error instanceof BudgetSpent) return failed(SUBTYPE[error.kind], error.message, SUBTYPE[error.kind]);
  if (error instanceof BudgetUnreachable || error instanceof PriceUnknown || error instanceof TurnStopped)
    return failed("error_during_execution", error.message, error.name);
  if (error instanceof ModelError) return failed("error_during_execution", error.message, error.code);
  throw error;
}

async function tellOfFailure(turn: Turn, failed: Exclude<Conclusion, { subtype: "success" }>): Promise<void> {
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
  for (;;) {
    const answer = unfinished(ownSteps(turn)) ?? (await nextAnswer(turn, signal));
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
  if (!answer || answer.stopReason === "pause_turn") return undefined;
  const since = sinceLastAnswer(own);
  if (!hasCalls(answer)) return since.some(({ kind }) => kind === "note") ? undefined : answer;
  const states = ledger(since);
  const isOpen = answer.content.some((block) => block.type === "tool_use" && states.get(block.id)?.is !== "settled");
  return isOpen ? answer : undefined;
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
  if (turn.sessionStart) {
    const started = await turn.hook(
      { hook_event_name: "SessionStart", source: turn.sessionStart, model: turn.model.name },
      signal,
    );
    const reason = started.block ?? started.stop;
    if (reason !== undefined) return refuse(turn, reason);
    if (started.initialUserMessage) context.push(started.initialUserMessage);
    if (started.additionalContext) context.push(started.additionalContext);
  }
  const source = turn.isFromPeer ? "system" : "user";
  const said = await turn.hook({ hook_event_name: "UserPromptSubmit", prompt: first.text, source }, signal);
  const reason = said.block ?? said.stop;
  if (reason !== undefined) return refuse(turn, reason);
  if (said.additionalContext) context.push(said.additionalContext);
  if (context.length > 0) turn.append({ kind: "note", about: "context", text: context.join("\n\n") });
  return undefined;
}
