// Signals that end a command: the first one lets it clean up, the second one ends it at once. A wrapper (troupe.mjs)
// passes its signals on as messages; a Ctrl-C reaches both processes and counts once.
import { constants } from "node:os";

import { CliError } from "./cli-error.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type Signal = (typeof SIGNALS)[number];

export interface Interruption {
  /** Aborts with a CliError. */
  readonly signal: AbortSignal;
  /** As in a shell: 130 for Ctrl-C, 143 for SIGTERM, 129 for a closed terminal. */
  readonly exitCode: number;
}

export function listenForSignals(): Interruption {
  const controller = new AbortController();
  let exitCode = exitCodeOf("SIGINT");
  const seen = { here: 0, byWrapper: 0 };
  const end = (signal: Signal, where: keyof typeof seen): void => {
    seen[where] += 1;
    const times = Math.max(seen.here, seen.byWrapper);
    if (times > 1) process.exit(exitCode);
    if (controller.signal.aborted) return;
    exitCode = exitCodeOf(signal);
    controller.abort(new CliError("interrupted", "Interrupted."));
  };
  for (const signal of SIGNALS) process.on(signal, () => end(signal, "here"));
  process.on("message", (message) => {
    const signal = SIGNALS.find((known) => known === message);
    if (signal !== undefined) end(signal, "byWrapper");
  });
  // The wrapper was killed, and with it the one who waits for this command.
  process.on("disconnect", () => end("SIGHUP", "byWrapper"));
  process.channel?.unref();
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
  };
}

function exitCodeOf(signal: Signal): number {
  return 128 + constants.signals[signal];
}
