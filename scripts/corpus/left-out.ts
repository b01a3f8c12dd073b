// Files of a folder that are not read, each with its reason, so that nobody searches for what is not there.
import { oneLine } from "../terminal/terminal-text.ts";

export interface LeftOut {
  /** Below the folder, forward slashes; a folder's ends with one. */
  readonly path: string;
  /** Follows the path: "is binary". */
  readonly reason: string;
}

const SHOWN = 10;

/** A line each, the first ten only. */
export function describeLeftOut(all: readonly LeftOut[]): string {
  const lines = all.slice(0, SHOWN).map(({ path, reason }) => `  ${oneLine(path)} ${oneLine(reason)}`);
  const more = all.length - lines.length;
  return [...lines, ...(more > 0 ? [`  … and ${more} more: deploy with --json names them all`] : [])].join("\n");
}
