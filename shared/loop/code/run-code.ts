// Runs the turn of an agent of plain code.
import { ERROR } from "../../tracing/names.ts";
import { reasonOf, stackOf } from "../../text/reason.ts";
import { closeCalls } from "../tool-calls/close-calls.ts";
import { untilAborted } from "../../resilience/until-aborted.ts";
import type { Conclusion, SuspendedTurn, Turn } from "../turn.ts";
import { CodeFailed, type CodeOutcome, type CodeRun } from "./code-run.ts";
import { CallsOfCode } from "./code-calls.ts";

/** Rejects with what its calls end the turn with, or the signal's reason. What the code itself throws is a result. */
export async function runCode(turn: Turn, run: CodeRun, signal: AbortSignal): Promise<Conclusion | SuspendedTurn> {
  const calls = new CallsOfCode(turn, signal);
  // What an earlier run has written is written again.
  turn.emit({ type: "model_start", turn: 1, attempt: 1 });
  const running = outcomeOf(turn, run, calls);
  try {
    const ended = await untilAborted(Promise.race([running, calls.suspended]), signal);
    if (!("is" in ended)) return ended;
    await calls.end();
    const reason = "The agent's code ended without waiting for this call.";
    closeCalls(turn.log, turn.trace, { by: "failure", reason }, (id) => turn.call.peers.leave(id));
    return conclusionOf(ended);
  } catch (error) {
    if (!(error instanceof CodeFailed)) throw error;
    return {
      subtype: "error_during_execution",
      message: `The agent failed: ${error.message}`,
      errorType: ERROR.internal,
    };
  } finally {
    running.catch(() => {});
    calls.leave("The turn has ended.");
  }
}

async function outcomeOf(turn: Turn, run: CodeRun, calls: CallsOfCode): Promise<CodeOutcome> {
  try {
    return await run(calls);
  } catch (error) {
    // A run that is given up throws what its calls reject with.
    if (calls.signal.aborted) return await new Promise<never>(() => {});
    turn.report?.(`The agent's code threw: ${stackOf(error)}`, turn.trace.parent);
    throw new CodeFailed(reasonOf(error), { cause: error });
  }
}

function conclusionOf(outcome: CodeOutcome): Conclusion {
  if (outcome.is === "rejected") return { subtype: "rejected", message: outcome.reason, errorType: "rejected" };
  const { text, isMessage } = outcome;
  return { subtype: "success", text, stopReason: null, ...(isMessage ? { isMessage } : {}) };
}
