// How long a turn has worked, by a clock that may be set while it does.

/**
 * Milliseconds since the call, at each call of what it returns. A clock that is put back, or forward by more than the turn may take at
 * all (a timer would have ended it), adds nothing: the time goes on from what was known before.
 */
export function stopwatch(limitMs: number): () => number {
  let begun = Date.now();
  let known = 0;
  return () => {
    const elapsed = Date.now() - begun;
    if (elapsed < known || elapsed > limitMs) begun = Date.now() - known;
    else known = elapsed;
    return known;
  };
}
