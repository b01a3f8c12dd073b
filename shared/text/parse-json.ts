// JSON that may be none: half-written files, plain text, what a gateway or a model sent instead.

/** The value; undefined for what is no JSON, which then fits no schema: the caller says what that means. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
