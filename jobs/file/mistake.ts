// A mistake in a job file or an agent's source, and its place.

export interface Mistake {
  /** The path as the user typed it. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 code units. */
  readonly column: number;
  readonly message: string;
  /** What to do next, often the nearest right name; may be empty. */
  readonly hint: string;
}

/** `file:line:column: message`, which editors and terminals make clickable, with the hint on a second line. */
export function formatMistake(mistake: Mistake): string {
  const { file, line, column, message, hint } = mistake;
  return `${file}:${line}:${column}: ${message}${hint === "" ? "" : `\n    ${hint}`}`;
}
