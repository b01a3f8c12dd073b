// A terminal for tests: keeps what was printed.
import type { Io } from "../../../scripts/terminal/io.ts";

export interface RecordedIo extends Io {
  readonly printed: string[];
  readonly notes: string[];
}

export function recordedIo(signal: AbortSignal = new AbortController().signal): RecordedIo {
  const [printed, notes]: [string[], string[]] = [[], []];
  return {
    printed,
    notes,
    print: (text) => void printed.push(text),
    write: (text) => void printed.push(text),
    note: (text) => void notes.push(text),
    signal,
    interactive: false,
  };
}
