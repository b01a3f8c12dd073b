// Makes JSON values safe to send and store. The Messages API refuses strings with half a surrogate pair, JSON turns
// numbers that are not finite into null, and parsing drops a field called __proto__.

/** Levels of nesting; JSON.stringify fails at some thousands. */
const MAX_DEPTH = 200;

/** A copy whose strings and property names are well-formed. Undefined for a value that JSON would change. */
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

/** A copy by way of JSON, whose strings are well-formed. Throws TypeError for what JSON or the log cannot hold. */
export function jsonCopy(value: unknown): unknown {
  const text: unknown = JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === "number" && !Number.isFinite(inner))
      throw new TypeError(`it returned ${inner}, which is no JSON`);
    return inner;
  });
  if (typeof text !== "string") throw new TypeError(`it returned ${typeof value}, which is no JSON`);
  const copy = wellFormed(JSON.parse(text));
  if (copy === undefined) throw new TypeError("it returned what is nested too deeply, or has a field called __proto__");
  return copy;
}

/** A copy of a tool's input; an empty object for anything but an object. */
export function toRecord(input: unknown): Record<string, unknown> {
  return typeof input === "object" && input !== null ? { ...input } : {};
}
