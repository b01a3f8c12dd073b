// Which steps at the end of a log stay word for word when what was before them is summarised.
import { tokensOfSteps } from "../model-call/context-size.ts";
import type { Step } from "../log/step.ts";

export interface KeptLimits {
  /** Index of the first step that may stay. */
  readonly from: number;
  /** Tokens, by length, of all that stays. */
  readonly most: number;
  /** Tokens, by length, of the last round, which may have more than its share: what the model is just working on. */
  readonly last: number;
}

/** How many steps: as many whole rounds as fit, none where even the last does not. */
export function keptSteps(log: readonly Step[], { from, most, last }: KeptLimits): number {
  let kept = 0;
  for (let at = log.length - 1; at >= from; at--) {
    if (!beginsRound(log, at)) continue;
    // A message that has just come stays whatever its size: one that is too long is not let in.
    const limit = kept > 0 ? most : log[at]?.kind === "user" ? Number.POSITIVE_INFINITY : last;
    if (tokensOfSteps(log.slice(at)) > limit) break;
    kept = log.length - at;
  }
  return kept;
}

/** A message, or an answer with the results of its calls. One that goes on after a pause may hold the result of a call before it. */
function beginsRound(log: readonly Step[], at: number): boolean {
  if (log[at]?.kind === "user") return true;
  if (log[at]?.kind !== "assistant") return false;
  const before = log.slice(0, at).findLast(({ kind }) => kind === "assistant" || kind === "user");
  return before?.kind !== "assistant" || before.stopReason !== "pause_turn";
}
