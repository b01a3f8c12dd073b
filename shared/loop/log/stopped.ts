// The end of a turn that a hook, or the agent's canUseTool, asked for. A step keeps it, so that no later life resumes the turn.
import type { TurnLog } from "./turn-log.ts";

/** A hook said `continue: false`, or canUseTool said to interrupt: the turn ends with these words. */
export class TurnStopped extends Error {
  override readonly name = "TurnStopped";
}

/** Writes the reason into the log and throws TurnStopped. Does nothing without a reason. */
export function stopFor(reason: string | undefined, log: TurnLog): void {
  if (reason === undefined) return;
  log.append({ kind: "stopped", reason });
  throw new TurnStopped(reason);
}
