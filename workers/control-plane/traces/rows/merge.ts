// Decides what happens to a span that comes again. Pure.

/** provisional: closed by the registry for a lost agent; the agent's own end replaces it. */
export type SpanState = "open" | "provisional" | "ended";

/** store: replaces the stored span. keep: changes nothing. conflict: contradicts the stored end. */
export type Decision = "store" | "keep" | "conflict";

const WEIGHT: Readonly<Record<SpanState, number>> = { open: 0, provisional: 1, ended: 2 };

export function stateOf(span: { readonly durationUs: number; readonly provisional: boolean }): SpanState {
  if (span.durationUs < 0) return "open";
  return span.provisional ? "provisional" : "ended";
}

/**
 * An end replaces a start, and an agent's own end replaces a provisional end, never the other way round: the order of
 * arrival does not matter. A start replaces a start; of two ends the first stays. `same` compares both spans literally,
 * and is called only where needed.
 */
export function mergeDecision(before: SpanState, incoming: SpanState, same: () => boolean): Decision {
  if (WEIGHT[incoming] > WEIGHT[before]) return "store";
  if (WEIGHT[incoming] < WEIGHT[before] || incoming === "provisional" || same()) return "keep";
  return incoming === "open" ? "store" : "conflict";
}
