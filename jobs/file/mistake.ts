// One thing that is wrong in a job file, and where.

export interface Mistake {
  /** The file as the user named it. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 code units. */
  readonly column: number;
  /** What is wrong. */
  readonly message: string;
  /** What to do next, often the nearest right name; empty when the message says it all. */
  readonly hint: string;
}

/** `file:line:column: message. hint`, the form that editors and terminals make clickable. */
export function formatMistake(mistake: Mistake): string {
  const { file, line, column, message, hint } = mistake;
  return `${file}:${line}:${column}: ${message}${hint === "" ? "" : `\n    ${hint}`}`;
}
