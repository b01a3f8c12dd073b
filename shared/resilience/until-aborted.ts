// Aborts the wait for work that ignores its signal: a tool that hangs, a hook that never returns.

/** Settles as `promise` does, or rejects with the reason as soon as `signal` aborts. */
export function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    // Attached even after an abort, so that no rejection stays unhandled.
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
  });
}
