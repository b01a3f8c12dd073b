// Whatever was thrown, in words. What is thrown is somebody's code too: it may throw when it is looked at.

/** Never empty, never half a character. Never throws. */
export function reasonOf(thrown: unknown): string {
  try {
    const said: unknown = thrown instanceof Error ? thrown.message : thrown;
    const text = typeof said === "string" ? said : textOf(said);
    return text.toWellFormed() || (thrown instanceof Error ? nameIn(thrown) : NOTHING);
  } catch {
    return NOTHING;
  }
}

/** Where it was thrown, or else why, for the log. Never throws. */
export function stackOf(thrown: unknown): string {
  try {
    const stack: unknown = thrown instanceof Error ? thrown.stack : undefined;
    return typeof stack === "string" ? stack : reasonOf(thrown);
  } catch {
    return reasonOf(thrown);
  }
}

const NOTHING = "something was thrown that says nothing";

/** Objects as JSON: they have no words of their own. */
function textOf(said: unknown): string {
  if (typeof said !== "object" || said === null) return String(said);
  const json: unknown = JSON.stringify(said);
  return typeof json === "string" ? json : NOTHING;
}

function nameIn({ name }: Error): string {
  return typeof name === "string" && name !== "" ? name.toWellFormed() : "Error";
}
