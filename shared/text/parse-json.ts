// Parses text that may not be JSON: half-written files, answers of gateways and models.

/** Deeper values are refused: recursive code would run out of stack. */
export const MOST_JSON_DEPTH = 256;

/** The value; undefined for text that is no JSON or is nested too deeply. */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether arrays and objects nest deeper than MOST_JSON_DEPTH. Scans the text once, without parsing. */
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
