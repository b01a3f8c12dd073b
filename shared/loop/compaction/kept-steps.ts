// Which steps at the end of a log a compaction keeps word for word.
import { tokensOfSteps } from "../model-call/context-size.ts";
import type { Step } from "../log/step.ts";

export interface KeptLimits {
  /** Index of the first step that may stay. */
  readonly from: number;
  /** Tokens, by length, of all kept steps. */
  readonly most: number;
  /** Tokens, by length, of the last round, which may have more than its share: the model works on it. */
  readonly last: number;
}

/** How many steps are kept: as many whole rounds as fit, none where not even the last does. */
export function keptSteps(log: readonly Step[], { from, most, last }: KeptLimits): number {
  let kept = 0;
  for (let at = log.length - 1; at >= from; at--) {
    if (!beginsRound(log, at)) continue;
    // A message that has just come is kept whatever its size: one that is too long was refused before.
    const limit = kept > 0 ? most : log[at]?.kind === "user" ? Number.POSITIVE_INFINITY : last;
    if (tokensOfSteps(log.slice(at)) > limit) break;
    kept = log.length - at;
  }
  return kept;
}

/** A round begins with a message, or with an answer; an answer after a pause may hold the result of an earlier call. */
function beginsRound(log: readonly Step[], at: number): boolean {
  if (log[at]?.kind === "user") return true;
  if (log[at]?.kind !== "assistant") return false;
  const before = log.slice(0, at).findLast(({ kind }) => kind === "assistant" || kind === "user");
  return before?.kind !== "assistant" || before.stopReason !== "pause_turn";
}
