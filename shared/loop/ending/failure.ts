// How a turn ends without an answer: what went wrong, in words for the person who asked.
import { ModelError } from "../../models/model.ts";
import { ERROR } from "../../tracing/names.ts";
import { BudgetSpent, PriceUnknown, SUBTYPE } from "../../budget/limits.ts";
import { BudgetUnreachable } from "../../budget/account.ts";
import type { Conclusion, Turn, TurnBudget } from "../turn.ts";
import { spentMessage } from "../../budget/exhaustion.ts";
import type { InputOf } from "../hooks/input.ts";
import { TurnStopped } from "../log/stopped.ts";
import { hasOpenCalls } from "../log/unfinished.ts";

/** Milliseconds of work that the turn may take: the agent's own limit or the query's, whichever is less. */
export function wallLimit({ limits, queryWallMs = Number.POSITIVE_INFINITY }: TurnBudget): number {
  return Math.min(limits.maxWallMs, queryWallMs);
}

export type Failed = Exclude<Conclusion, { subtype: "success" }>;

/** Milliseconds that the account may take to say who has spent what. */
const REPORT_MS = 2_000;

/** Ends a turn whose time is spent. Where the whole query's is, every agent of the query has to stop. */
export async function overtime(turn: Turn): Promise<Failed> {
  const { account, queryWallMs } = turn.budget;
  const subtype = "error_max_wall_time";
  if (account && queryWallMs !== undefined && queryWallMs === wallLimit(turn.budget)) {
    try {
      const exhaustion = await account.timeIsUp(queryWallMs, AbortSignal.timeout(REPORT_MS));
      const { kind } = exhaustion;
      const errorType = kind === "wall_time" ? ERROR.timeout : SUBTYPE[kind];
      return { subtype: SUBTYPE[kind], message: spentMessage(exhaustion), errorType };
    } catch {
      // The account is away, so no agent of the query makes a model call either.
    }
  }
  const own = turn.log.own();
  const calls = own.filter(({ kind }) => kind === "assistant").length;
  const where = hasOpenCalls(own) ? `in the tool calls of model call ${calls}` : `in model call ${calls + 1}`;
  const message = `The wall-time budget of ${wallLimit(turn.budget) / 1000} s was spent ${where}.`;
  return { subtype, message, errorType: ERROR.timeout };
}

/** How an error ends the turn. Throws errors that are bugs of ours. */
export function failureOf(error: unknown, turn: Turn): Failed {
  const failed = (subtype: Failed["subtype"], message: string, errorType: string) =>
    ({ subtype, message, errorType }) as const;
  if (turn.signal.aborted) return failed("canceled", "The task was canceled.", ERROR.canceled);
  if (error instanceof BudgetSpent) return failed(SUBTYPE[error.kind], error.message, SUBTYPE[error.kind]);
  if (error instanceof BudgetUnreachable || error instanceof PriceUnknown || error instanceof TurnStopped)
    return failed("error_during_execution", error.message, error.name);
  if (error instanceof ModelError) return failed("error_during_execution", error.message, error.code);
  throw error;
}

/** Runs the StopFailure hooks. */
export async function tellOfFailure(turn: Turn, failed: Failed): Promise<void> {
  if (failed.subtype === "canceled") return;
  const error = STOP_FAILURES[failed.errorType] ?? "unknown";
  await turn.hook({ hook_event_name: "StopFailure", error, error_details: failed.message }, turn.signal);
}

/** `errorType` of a model's failure → its name in the Claude Agent SDK. */
const STOP_FAILURES: Readonly<Record<string, InputOf<"StopFailure">["error"]>> = {
  unauthorized: "authentication_failed",
  forbidden: "authentication_failed",
  rate_limited: "rate_limit",
  overloaded: "overloaded",
  invalid_request: "invalid_request",
  prompt_too_long: "invalid_request",
  unavailable: "server_error",
  connection_lost: "server_error",
  broken_stream: "server_error",
  stalled: "server_error",
  max_tokens: "max_output_tokens",
};
