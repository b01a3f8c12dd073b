// The error that commands throw on purpose, and its exit code.
import { formatMistake, type Mistake } from "#jobs/file/mistake.ts";

export type CliErrorCode =
  /** The command line, or a file that the user wrote, is wrong. */
  | "bad_input"
  /** The input was right, but the work failed. */
  | "failed"
  /** The task waits for an approval. */
  | "input_required"
  /** The user, or a signal, ended the command. */
  | "interrupted";

export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;
  /** What to do next; printed below the message. */
  readonly next: string;

  constructor(code: CliErrorCode, message: string, next = "") {
    super(message);
    this.code = code;
    this.next = next;
  }
}

export function exitCodeOf(code: CliErrorCode): number {
  switch (code) {
    case "failed":
      return 1;
    case "bad_input":
      return 2;
    case "input_required":
      return 3;
    case "interrupted":
      return 130;
  }
}

/** An error that lists mistakes, each with its file and line. */
export function mistakesError(mistakes: readonly Mistake[]): CliError {
  const more = mistakes.length - MAX_SHOWN;
  const lines = mistakes.slice(0, MAX_SHOWN).map(formatMistake);
  if (more > 0) lines.push(`… and ${more} more`);
  return new CliError("bad_input", lines.join("\n"), `${count(mistakes.length)}. Nothing was changed.`);
}

const MAX_SHOWN = 20;

function count(mistakes: number): string {
  return mistakes === 1 ? "1 mistake" : `${mistakes} mistakes`;
}
