// JSON that may be none: half-written files, plain text, what a gateway or a model sent instead.

/** Values nested deeper than this are refused: what walks them would run out of stack. */
export const MOST_JSON_DEPTH = 256;

/** The value; undefined for what is no JSON, or nested too deeply, which then fits no schema: the caller says what that means. */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether arrays and objects in the JSON nest deeper than MOST_JSON_DEPTH. One pass, before anything is parsed. */
export function isTooDeep(json: string): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (character === '"') at = endOfString(json, at);
    else if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") depth -= 1;
    if (depth > MOST_JSON_DEPTH) return true;
  }
  return false;
}

function endOfString(json: string, begin: number): number {
  let at = begin + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at;
}
