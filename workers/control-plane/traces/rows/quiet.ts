// How long a trace must have been quiet until it counts as whole. Pure.
import { RANK } from "./trace-change.ts";

/** Late spans of a trace whose root has ended come within moments. */
const ENDED_MS = 1000;
/** A root whose parent is not there may be a child that came first: exporters send children as they end, before their parents. */
export const ORPHAN_MS = 60_000;
/** What there is of an open trace is better forwarded than never. */
const OPEN_MS = 300_000;

export function quietMs(root: { readonly rank: number; readonly open: boolean }): number {
  if (root.open) return OPEN_MS;
  return root.rank < RANK.orphan ? ENDED_MS : ORPHAN_MS;
}
