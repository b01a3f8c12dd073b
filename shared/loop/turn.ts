// A turn: from the user's message to the answer. Model and tools are passed in; nothing here knows the platform.
// Every step is appended to the log before the next begins, and the log alone says what comes next: a turn whose isolate died is
// gone on with by running it again over the same log.
import type { ToolUnion } from "@anthropic-ai/sdk/resources/messages/messages";
import type { Model } from "../models/model.ts";
import { Stopwatch } from "../resilience/stopwatch.ts";
import { ERROR } from "../tracing/names.ts";
import { picoOf, toUsd } from "../budget/price.ts";
import type { Usage } from "../budget/usage.ts";
import type { Approval } from "./approval.ts";
import type { Account } from "../budget/account.ts";
import { closeCalls } from "./close-calls.ts";
import { compactOnDemand } from "./compact.ts";
import { conclude, type Conclusion } from "./conclude.ts";
import { denialsIn, type Denial } from "./denials.ts";
import { failureOf, overtime, tellOfFailure, wallLimit } from "./failure.ts";
import { usageOf } from "./ledger.ts";
import { tooLong } from "./message-size.ts";
import { nextAnswer } from "./next-answer.ts";
import { settleEarlier } from "./reserved-call.ts";
import { isModelCall, type Step } from "./step.ts";
import type { OutputShape } from "./structured-output.ts";
import { runToolCalls, type ToolRuntime } from "./tool-calls.ts";
import { hasCalls, hasOpenCalls, unfinished } from "./unfinished.ts";

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
  const time = Stopwatch.start(limitMs - turn.workedMs, () =>
    wall.abort(new WallTimeSpent(`The wall-time budget of ${limitMs / 1000} s was spent.`)),
  );
  let conclusion: Conclusion | SuspendedTurn;
  try {
    conclusion = await loop(turn, AbortSignal.any([signal, wall.signal]));
  } catch (error) {
    const isOver = wall.signal.aborted && !signal.aborted;
    conclusion = isOver ? await overtime(turn) : failureOf(error, turn);
  } finally {
    time.stop();
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
  const cost = price && toUsd(calls.reduce((sum, { usage }) => sum + picoOf(usage, price), 0));
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

async function loop(turn: Turn, signal: AbortSignal): Promise<Conclusion | SuspendedTurn> {
  await settleEarlier(turn);
  const ended = endedByHook(ownSteps(turn));
  if (ended) return ended;
  const first = turn.log[turn.begin];
  if (first?.kind === "user" && first.command === "compact") return compactOnDemand(turn, first.text, signal);
  const refused = await takePrompt(turn, signal);
  if (refused) return refused;
  let left = unfinished(ownSteps(turn));
  // Calls that are settled were followed by the next model call, as far as anybody knows.
  let mayHaveCut = turn.life > 1 && (!left || (hasCalls(left) && !hasOpenCalls(ownSteps(turn))));
  for (;;) {
    const answer = left ?? (await nextAnswer(turn, signal, mayHaveCut));
    mayHaveCut &&= left !== undefined;
    left = undefined;
    if (hasCalls(answer)) {
      const approvals = await runToolCalls(answer, turn, signal);
      if (approvals.length > 0) return { subtype: "suspended", approvals };
    } else if (answer.stopReason !== "pause_turn") {
      const conclusion = await conclude(turn, answer, signal);
      if (conclusion) return conclusion;
    }
  }
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
