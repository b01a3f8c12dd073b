// When an event is sent again that could not be delivered. Pure.

/** Attempts until an event is given up: about three hours. */
export const MOST_TRIES = 8;
/** Pause after the first attempt; each further one is three times as long. */
const FIRST_MS = 10_000;
const LONGEST_MS = 2 * 3_600_000;
/** A receiver may ask for so much. */
const LONGEST_TOLD_MS = 6 * 3_600_000;

/**
 * Milliseconds to wait after so many failed attempts; undefined where the event is given up. `afterMs`: what the receiver asked for.
 * `random`, from 0 to 1, spreads the attempts of many sessions.
 */
export function pauseAfter(tries: number, afterMs = 0, random = Math.random()): number | undefined {
  if (tries >= MOST_TRIES) return undefined;
  const pause = Math.min(FIRST_MS * 3 ** (tries - 1), LONGEST_MS) * (1 + random / 5);
  return Math.round(Math.max(pause, Math.min(afterMs, LONGEST_TOLD_MS)));
}
