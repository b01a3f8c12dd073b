// The end of a turn that a hook, or the agent's canUseTool, asked for. It is in the log, so that the next life does not go on with what
// this one was told to stop.
import type { TurnLog } from "./turn-log.ts";

/** A hook said `continue: false`, or canUseTool said to interrupt: the turn ends with these words. */
export class TurnStopped extends Error {
  override readonly name = "TurnStopped";
}

/** Throws TurnStopped where there is a reason to. */
export function stopFor(reason: string | undefined, log: TurnLog): void {
  if (reason === undefined) return;
  log.append({ kind: "stopped", reason });
  throw new TurnStopped(reason);
}
