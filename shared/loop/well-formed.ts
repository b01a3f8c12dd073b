// JSON values that can be sent on: a string with half a character in it, and the API refuses every later request of the conversation.

/** Levels that a value may have; what writes JSON gives up at some thousands. */
const MAX_DEPTH = 200;

/** A copy in which every string is well-formed, names of properties too. Undefined for what is nested too deeply. */
export function wellFormed(value: unknown): unknown {
  return isDeeper(value, MAX_DEPTH) ? undefined : mend(value);
}

function mend(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(mend);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toWellFormed(), mend(inner)]));
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
