// What becomes of a span that comes again. Pure.

/** provisional: closed by the registry for an agent that was gone; the agent's own word counts more. */
export type SpanState = "open" | "provisional" | "ended";

/** store: it replaces what is there. keep: nothing changes. conflict: it contradicts an end that was stored. */
export type Decision = "store" | "keep" | "conflict";

const WEIGHT: Readonly<Record<SpanState, number>> = { open: 0, provisional: 1, ended: 2 };

export function stateOf(span: { readonly durationUs: number; readonly provisional: boolean }): SpanState {
  if (span.durationUs < 0) return "open";
  return span.provisional ? "provisional" : "ended";
}

/**
 * An end replaces a start, and an agent's own end replaces a provisional one; never the other way round, so the order of arrival
 * does not matter. Of two that weigh the same: a start may be told anew with more, of two ends the first stays. `same` tells
 * whether both are the same to the letter; it is asked only where that matters.
 */
export function mergeDecision(before: SpanState, incoming: SpanState, same: () => boolean): Decision {
  if (WEIGHT[incoming] > WEIGHT[before]) return "store";
  if (WEIGHT[incoming] < WEIGHT[before] || incoming === "provisional" || same()) return "keep";
  return incoming === "open" ? "store" : "conflict";
}
