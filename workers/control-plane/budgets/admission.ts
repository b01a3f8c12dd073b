// Whether a model call fits a query's account: yes and how long its answer may be, not yet, or never. Pure.
import type { Limits } from "#shared/budget/limits.ts";
import { lackFor, leastAnswer, headroomFor, type Lack, type PlannedCall } from "#shared/budget/headroom.ts";
import { sumOf, type Share } from "./account-rows.ts";

export type Admission = { readonly grant: number } | { readonly wait: true } | { readonly lack: Lack };

/**
 * What is set aside for calls under way counts as if it were spent, but it may come back: so a call that would fit without it
 * waits, and one that would not never will. While others are under way an answer gets at least half of what it could have
 * without them: waiting for a moment is better than an answer that is cut short.
 */
export function admit(limits: Limits, shares: readonly Share[], call: PlannedCall): Admission {
  const firm = sumOf(shares.filter(({ state }) => state !== "open"));
  const least = leastAnswer(limits, call);
  const lack = lackFor(limits, firm, call, least);
  if (lack) return { lack };
  const isAlone = shares.every(({ state }) => state !== "open");
  const half = Math.ceil(Math.min(call.maxTokens, headroomFor(limits, firm, call)) / 2);
  const room = headroomFor(limits, sumOf(shares), call);
  if (room < (isAlone ? least : Math.max(least, half))) return { wait: true };
  return { grant: Math.min(call.maxTokens, room) };
}
