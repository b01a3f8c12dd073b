// Values from an agent's own code, taken as a wire would take them.

/** A copy by way of JSON. Throws TypeError for what JSON cannot hold. */
export function jsonCopy(value: unknown): unknown {
  const text: unknown = JSON.stringify(value);
  if (typeof text !== "string") throw new TypeError(`it returned ${typeof value}, which is no JSON`);
  return JSON.parse(text);
}
