// JSON in one form only, so that a signature over it holds for no other value.

/**
 * JSON in one form only: keys sorted, no spaces, numbers as JavaScript writes them. Two values have the same text
 * only if they are stored as the same JSON. Throws TypeError for what JSON cannot hold; a field that is undefined is none.
 */
export function canonical(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${Array.from<unknown, string>(value, canonical).join(",")}]`;
  if (isRecord(value)) {
    const fields = Object.keys(value)
      .filter((key) => value[key] !== undefined)
      .toSorted()
      .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
    return `{${fields.join(",")}}`;
  }
  throw new TypeError(`A ${typeof value} of this kind is no JSON, so no approval can be bound to it.`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
