// A command's access to the terminal: results go to stdout, everything else to stderr.
import { fill, widthOf } from "./terminal-text.ts";

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
}

const SILENCE_MS = 1_000;

export function terminal(signal: AbortSignal): Io {
  return {
    print: (text) => void process.stdout.write(`${text}\n`),
    write: (text) => void process.stdout.write(text),
    note: (text) => void process.stderr.write(`${text}\n`),
    signal,
    interactive: process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY,
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
