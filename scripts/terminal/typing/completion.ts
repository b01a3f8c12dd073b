// What the Tab key adds.

/** Whole words that may stand where the last word of `before` stands. */
export type Complete = (before: string) => readonly string[];

export interface Completed {
  /** Text to insert at the cursor. */
  readonly insert: string;
  /** The candidates, where several are left. */
  readonly choices: readonly string[];
}

/** Adds the rest of the only candidate and a space, or as much as all candidates share. */
export function completed(before: string, candidates: readonly string[]): Completed {
  const word = before.slice(before.search(/\S*$/));
  const fitting = candidates.filter((candidate) => candidate.startsWith(word));
  const [first = "", ...others] = fitting;
  if (fitting.length === 0) return { insert: "", choices: [] };
  if (others.length === 0) return { insert: `${first.slice(word.length)} `, choices: [] };
  let shared = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, shared))) shared -= 1;
  return { insert: first.slice(word.length, shared), choices: [fitting.join("  ")] };
}
