// Files of a folder that are left out of a corpus, each with its reason.
import { oneLine } from "../terminal/terminal-text.ts";

export interface LeftOut {
  /** Path below the folder, with forward slashes; a folder's path ends with one. */
  readonly path: string;
  /** Continues a sentence after the path: "is binary". */
  readonly reason: string;
}

const SHOWN = 10;

/** A line for each of the first ten. */
export function describeLeftOut(all: readonly LeftOut[]): string {
  const lines = all.slice(0, SHOWN).map(({ path, reason }) => `  ${oneLine(path)} ${oneLine(reason)}`);
  const more = all.length - lines.length;
  return [...lines, ...(more > 0 ? [`  … and ${more} more; deploy with --json names all`] : [])].join("\n");
}
