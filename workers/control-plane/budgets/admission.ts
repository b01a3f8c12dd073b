// Decides about a model call: granted with a longest answer, to wait, or refused. Pure.
import type { Limits } from "#shared/budget/limits.ts";
import { shortfallOf, leastAnswer, headroomFor, type Shortfall, type PlannedCall } from "#shared/budget/headroom.ts";
import { sumOf, type Share } from "./account-rows.ts";

export type Admission = { readonly grant: number } | { readonly wait: true } | { readonly shortfall: Shortfall };

/**
 * Amounts set aside for open calls count as spent, but may come back: a call that fits without them waits, a call that
 * does not fit is refused. While other calls are open, a call waits until its answer may have half of what it could
 * have alone: a short wait is better than an answer that is cut.
 */
export function admit(limits: Limits, shares: readonly Share[], call: PlannedCall): Admission {
  const firm = sumOf(shares.filter(({ state }) => state !== "open"));
  const least = leastAnswer(limits, call);
  const shortfall = shortfallOf(limits, firm, call, least);
  if (shortfall) return { shortfall };
  const isAlone = shares.every(({ state }) => state !== "open");
  const half = Math.ceil(Math.min(call.maxTokens, headroomFor(limits, firm, call)) / 2);
  const room = headroomFor(limits, sumOf(shares), call);
  if (room < (isAlone ? least : Math.max(least, half))) return { wait: true };
  return { grant: Math.min(call.maxTokens, room) };
}
