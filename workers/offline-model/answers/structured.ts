// Structured output (`output_config.format`): JSON that fits a schema. The field that looks most like an answer gets
// the extracted text; the others are filled like tool arguments.
import { DEEPEST, fillValue } from "../calls/arguments.ts";
import { asObject, propertiesOf } from "../reading/tools.ts";

type Schema = Readonly<Record<string, unknown>>;

/** Names of the field for the answer, best first. */
const TEXT_NAMES = [
  /^(?:final_?)?answer$/i,
  /^(?:response|reply|result|output)$/i,
  /^(?:summary|conclusion|explanation|report)$/i,
  /^(?:text|content|message|body|description)$/i,
];

/** JSON text that fits `schema`, as far as rules can tell. */
export function structuredAnswer(schema: Schema, question: string, answer: string): string {
  const value = fillValue("answer", schema, { question, text: answer });
  if (typeof value === "string") return JSON.stringify(answer);
  placeText(asObject(value), schema, answer);
  return JSON.stringify(value);
}

/** Puts the answer into a text field of the object, or of an object inside. Returns whether one was found. */
function placeText(value: Record<string, unknown>, schema: Schema, answer: string, depth = 0): boolean {
  if (depth > DEEPEST) return false;
  const properties = propertiesOf(schema);
  const names = Object.keys(properties).filter((name) => isFreeText(properties[name] ?? {}));
  const named = TEXT_NAMES.flatMap((pattern) => names.filter((name) => pattern.test(name)))[0];
  const chosen = named ?? names.find((name) => name in value);
  if (chosen !== undefined) {
    const most = properties[chosen]?.["maxLength"];
    value[chosen] = (typeof most === "number" ? answer.slice(0, most) : answer).toWellFormed();
    return true;
  }
  return Object.entries(properties).some(([name, inner]) => placeText(asObject(value[name]), inner, answer, depth + 1));
}

function isFreeText(schema: Schema): boolean {
  const types = [schema["type"]].flat();
  return types.includes("string") && !["enum", "const", "format", "pattern"].some((keyword) => keyword in schema);
}
