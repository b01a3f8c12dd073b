// Runs a turn from the message to the answer. Model and tools are passed in; nothing here knows the platform. Each step is in the log
// before the next begins, and the log alone says what comes next: running a turn again over its log resumes it.
import { Stopwatch } from "../resilience/stopwatch.ts";
import { ERROR } from "../tracing/names.ts";
import { runCode } from "./code/run-code.ts";
import { picoOf, toUsd } from "../budget/price.ts";
import { closeCalls } from "./tool-calls/close-calls.ts";
import { compactOnDemand } from "./compaction/compact.ts";
import { conclude } from "./ending/conclude.ts";
import type { Conclusion, Turn, Ended, SuspendedTurn, TurnResult } from "./turn.ts";
import { denialsIn } from "./log/denials.ts";
import { failureOf, overtime, tellOfFailure, wallLimit } from "./ending/failure.ts";
import { usageOf, hasCalls, hasOpenCalls, unfinished } from "./log/ledger.ts";
import { tooLong } from "./model-call/request.ts";
import { nextAnswer } from "./next-answer.ts";
import { settleEarlier } from "./model-call/metered-call.ts";
import { isModelCall, type Step } from "./log/step.ts";
import { runToolCalls } from "./tool-calls/tool-calls.ts";

class WallTimeSpent extends Error {
  override readonly name = "WallTimeSpent";
}

/** Never rejects for what a model, a tool or a hook does: failures are results. */
export async function runTurn(turn: Turn): Promise<TurnResult> {
  const { signal } = turn;
  const wall = new AbortController();
  const limitMs = wallLimit(turn.budget);
  const time = Stopwatch.start(limitMs - turn.budget.workedMs, () =>
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
    closeCalls(turn.log, turn.trace, { by, reason: conclusion.message }, (id) => turn.call.peers.leave(id));
    if (conclusion.subtype !== "rejected") await tellOfFailure(turn, conclusion);
  }
  return { ...conclusion, ...sumOf(turn) };
}

function sumOf(turn: Turn): Ended {
  const own = turn.log.own();
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

async function loop(turn: Turn, signal: AbortSignal): Promise<Conclusion | SuspendedTurn> {
  const { account } = turn.budget;
  if (account && turn.log.life > 1) await settleEarlier(turn.log.own(), account);
  const ended = endedByHook(turn.log.own());
  if (ended) return ended;
  const first = turn.log.steps[turn.log.begin];
  if (first?.kind === "user" && first.command === "compact") return compactOnDemand(turn, first.text, signal);
  const refused = await takePrompt(turn, signal);
  if (refused) return refused;
  if (turn.code) return runCode(turn, turn.code, signal);
  let left = unfinished(turn.log.own());
  // After settled calls, the next model call may have been under way when the earlier life ended.
  let mayHaveCut = turn.log.life > 1 && (!left || (hasCalls(left) && !hasOpenCalls(turn.log.own())));
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

/** The end that a hook of an earlier life asked for. */
function endedByHook(own: readonly Step[]): Conclusion | undefined {
  const step = own.findLast(({ kind }) => kind === "blocked" || kind === "stopped");
  if (step?.kind !== "blocked" && step?.kind !== "stopped") return undefined;
  return { subtype: "error_during_execution", message: step.reason, errorType: ERROR.refused };
}

function refuse({ log }: Turn, reason: string): Conclusion {
  log.append({ kind: "blocked", reason });
  return { subtype: "error_during_execution", message: reason, errorType: ERROR.refused };
}

/** Runs the hooks of a new message. Returns the end of the turn where they, or its size, refuse it. */
async function takePrompt(turn: Turn, signal: AbortSignal): Promise<Conclusion | undefined> {
  const own = turn.log.own();
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
  const unfit = turn.code ? undefined : await tooLong(turn, whole, signal);
  if (unfit !== undefined) return refuse(turn, unfit);
  if (initial !== undefined) turn.log.append({ kind: "note", about: "initial", text: initial });
  if (context.length > 0) turn.log.append({ kind: "note", about: "context", text: context.join("\n\n") });
  return undefined;
}
