// JSON values that can be sent and stored. The API refuses a string that holds half a character, and every later request with it;
// JSON turns a number that is not finite into null, and parsing drops a field called __proto__.

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

/** A copy by way of JSON, in which every string is well-formed. Throws TypeError for what JSON, or the log, cannot hold. */
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

/** A tool's input, which has to be an object; an empty one for anything else. */
export function toRecord(input: unknown): Record<string, unknown> {
  return typeof input === "object" && input !== null ? { ...input } : {};
}
