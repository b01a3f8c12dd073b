// A command's access to the terminal: results go to stdout, everything else to stderr.
import { fill, widthOf } from "./terminal-text.ts";
import { LiveArea } from "./typing/live-area.ts";

export interface Io {
  /** A result, on stdout, with a newline. */
  print(text: string): void;
  /** A result without a newline, for text that streams. */
  write(text: string): void;
  /** A note on stderr: progress, warnings. */
  note(text: string): void;
  /** Aborts at Ctrl-C, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  /** A person can type, and sees stdout and stderr. */
  readonly interactive: boolean;
  /** Rows below the text, where stderr is a terminal that is not dumb. While there are any, `write` takes whole lines. */
  readonly live?: LiveArea | undefined;
}

const SILENCE_MS = 1_000;

export function terminal(signal: AbortSignal): Io {
  const interactive = process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY;
  const live = process.stderr.isTTY && process.env["TERM"] !== "dumb" ? new LiveArea(process.stderr) : undefined;
  const above = (write: () => void): void => (live === undefined ? write() : live.above(write));
  return {
    print: (text) => above(() => process.stdout.write(`${text}\n`)),
    write: (text) => above(() => process.stdout.write(text)),
    note: (text) => above(() => process.stderr.write(`${text}\n`)),
    signal,
    interactive,
    live,
  };
}

export function printJson(io: Io, value: unknown): void {
  io.print(JSON.stringify(value, null, 2));
}

/**
 * Runs `work`, and notes `label` once where it takes longer than a second. Throws the signal's reason if the command
 * was ended.
 */
export async function noteIfSlow<Result>(io: Io, label: string, work: () => Promise<Result>): Promise<Result> {
  io.signal.throwIfAborted();
  const timer = setTimeout(() => io.note(`${label} …`), SILENCE_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** Columns two spaces apart, aligned left, except those whose index is in `right`. */
export function table(rows: readonly (readonly string[])[], right: ReadonlySet<number> = new Set()): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
  }
  return rows
    .map((row) =>
      row
        .map((cell, index) => fill(cell, widths[index] ?? 0, right.has(index) ? "right" : "left"))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
