// Abortion of work that may not listen to its signal: a tool that hangs, a hook that never returns.

/** Settles as `promise` does, or rejects as soon as `signal` aborts: for work that may not listen to it. */
export function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    // Listened to in any case: a rejection that nobody hears would be an unhandled one.
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
  });
}
