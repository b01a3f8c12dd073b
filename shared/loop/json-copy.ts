// Values from an agent's own code, taken as a wire would take them.
import { wellFormed } from "./well-formed.ts";

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
