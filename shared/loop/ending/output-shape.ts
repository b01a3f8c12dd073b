// Structured answers: the JSON Schema for the API, and the check of what the model answers. The API enforces only types and fields;
// bounds and patterns go into the descriptions, and zod checks them afterwards.
import * as z from "zod";
import { isTooDeep, MOST_JSON_DEPTH } from "../../text/parse-json.ts";
import { reasonOf } from "../../text/reason.ts";

/** Keywords that the API refuses. */
const UNSUPPORTED = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "default",
] as const;
const FORMATS: ReadonlySet<unknown> = new Set([
  "date-time",
  "time",
  "date",
  "duration",
  "email",
  "hostname",
  "uri",
  "ipv4",
  "ipv6",
  "uuid",
]);

/** The schema of an answer. */
export interface OutputShape {
  readonly shape: z.ZodType;
  /** The form for `output_config.format`. */
  readonly jsonSchema: Record<string, unknown>;
}

/** Makes the shape of a zod schema. Throws TypeError for a schema that the API cannot enforce. */
export function outputShape(shape: z.ZodType): OutputShape {
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(shape, {
    io: "input",
    unrepresentable: "throw",
    override: ({ jsonSchema: schema }) => simplify(schema),
  });
  if (jsonSchema.type !== "object")
    throw new TypeError("A structured output is an object: put what it holds into a field.");
  if (isRecursive(jsonSchema)) throw new TypeError("A structured output cannot hold itself: write its levels out.");
  return { shape, jsonSchema };
}

/** Whether a JSON Schema refers to itself, directly or through its `$defs`. */
export function isRecursive(schema: Record<string, unknown>): boolean {
  const seen = new Set<string>();
  const enter = (ref: string, above: readonly string[]): boolean => {
    if (above.includes(ref)) return true;
    if (seen.has(ref)) return false;
    seen.add(ref);
    const target = ref
      .split("/")
      .slice(1)
      .reduce<unknown>((found, step) => (isObject(found) ? Reflect.get(found, step) : undefined), schema);
    return refsIn(target).some((inner) => enter(inner, [...above, ref]));
  };
  return enter("#", []);
}

/** Every `$ref` below a schema, its definitions left out. */
function refsIn(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(refsIn);
  if (!isObject(schema)) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key === "$ref" && typeof value === "string") return [value];
    return key === "$defs" ? [] : refsIn(value);
  });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function simplify(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.propertyNames !== undefined || schema.patternProperties !== undefined) {
    throw new TypeError("A structured output cannot hold a record, whose keys are not known: use a list of objects.");
  }
  if (schema.properties !== undefined || schema.type === "object") schema.additionalProperties = false;
  if (schema.oneOf !== undefined) {
    schema.anyOf = schema.oneOf;
    delete schema.oneOf;
  }
  const said: string[] = [];
  for (const keyword of UNSUPPORTED) {
    if (schema[keyword] === undefined) continue;
    const usual = schema.type === "integer" && Math.abs(Number(schema[keyword])) === Number.MAX_SAFE_INTEGER;
    if (!usual) said.push(`${keyword}: ${JSON.stringify(schema[keyword])}`);
    delete schema[keyword];
  }
  if (schema.format !== undefined && !FORMATS.has(schema.format)) {
    said.push(`format: ${schema.format}`);
    delete schema.format;
  }
  if (said.length === 0) return;
  const rules = `(${said.join(", ")})`;
  schema.description = schema.description === undefined ? rules : `${schema.description} ${rules}`;
}

/**
 * The value of an answer: JSON and nothing else, or JSON in one fence. The error is for the model, which may try again.
 */
export async function parseOutput<Shape extends z.ZodType>(
  shape: Shape,
  text: string,
): Promise<{ readonly value: z.output<Shape> } | { readonly error: string }> {
  const json = unfenced(text);
  if (isTooDeep(json)) return { error: `Your answer is nested more than ${MOST_JSON_DEPTH} levels deep.` };
  let said: unknown;
  try {
    said = JSON.parse(json);
  } catch (error) {
    return { error: `Your answer is not JSON (${reasonOf(error)}). Answer with one JSON object and nothing else.` };
  }
  const parsed = await shape.safeParseAsync(said);
  if (parsed.success) return { value: parsed.data };
  return { error: `Your answer does not fit its schema:\n${z.prettifyError(parsed.error)}\nAnswer again, whole.` };
}

/** The content of the fence, where the whole text is one. */
function unfenced(text: string): string {
  const trimmed = text.trim();
  const open = /^```(?:json)?[ \t]*\r?\n/i.exec(trimmed)?.[0];
  if (open === undefined || !trimmed.endsWith("\n```") || trimmed.length < open.length + 3) return trimmed;
  return trimmed.slice(open.length, -4);
}
