// Describes thrown values. Reading a thrown value may throw, too: its getters are foreign code.

/** The message, well-formed and never empty. Never throws. */
export function reasonOf(thrown: unknown): string {
  try {
    const said: unknown = thrown instanceof Error ? thrown.message : thrown;
    const text = typeof said === "string" ? said : textOf(said);
    return text.toWellFormed() || (thrown instanceof Error ? nameIn(thrown) : NOTHING);
  } catch {
    return NOTHING;
  }
}

/** The stack, or else the message, for the log. Never throws. */
export function stackOf(thrown: unknown): string {
  try {
    const stack: unknown = thrown instanceof Error ? thrown.stack : undefined;
    return typeof stack === "string" ? stack : reasonOf(thrown);
  } catch {
    return reasonOf(thrown);
  }
}

const NOTHING = "something was thrown that says nothing";

/** Objects as JSON, everything else as text. */
function textOf(said: unknown): string {
  if (typeof said !== "object" || said === null) return String(said);
  const json: unknown = JSON.stringify(said);
  return typeof json === "string" ? json : NOTHING;
}

function nameIn({ name }: Error): string {
  return typeof name === "string" && name !== "" ? name.toWellFormed() : "Error";
}
