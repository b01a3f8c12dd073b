// JSON values that can be sent on and kept: a string with half a character in it, and the API refuses every later request of the
// conversation; a number that is not finite, and another stands in the log; a field called __proto__, and it is gone when that is read.

/** Levels that a value may have; what writes JSON gives up at some thousands. */
const MAX_DEPTH = 200;

/** A copy in which every string is well-formed, names of properties too. Undefined for what cannot be kept as it is. */
export function wellFormed(value: unknown): unknown {
  return canBeKept(value, MAX_DEPTH) ? mend(value) : undefined;
}

function mend(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(mend);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toWellFormed(), mend(inner)]));
}

function canBeKept(value: unknown, levels: number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0 || Object.hasOwn(value, "__proto__")) return false;
  return Object.values(value).every((inner) => canBeKept(inner, levels - 1));
}
