// Parts of the OpenAPI document that all rooms share.
import * as z from "zod";

/** A reference to a schema in the document's components. */
export function ref(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}

/** A request body of the named schema, as JSON. */
export function jsonBody(name: string): object {
  return { required: true, content: { "application/json": { schema: ref(name) } } };
}

/** The JSON Schema of a value before ("input") or after ("output") zod has parsed it. */
export function schemaOf(schema: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return jsonSchema;
}

/** The parameter of a path. */
export function pathParameter(name: string, schema: z.ZodType): object {
  return { name, in: "path", required: true, schema: schemaOf(schema, "input") };
}

/** The query parameters that `query` checks. */
export function queryParameters(query: z.ZodObject<Record<string, z.ZodType>>, io: "input" | "output"): object[] {
  return Object.entries(query.shape).map(([name, schema]) => ({
    name,
    in: "query",
    ...(schema.safeParse(undefined).success ? {} : { required: true }),
    schema: schemaOf(schema, io),
  }));
}

/**
 * The responses of an operation: success, `errors`, and 401 and 503, which every operation has. `body` names the schema
 * of a success.
 */
export function responses(status: number, body?: string, errors: number[] = []): Record<string, object> {
  const success = body ? { content: { "application/json": { schema: ref(body) } } } : {};
  const failure = {
    description: "What was wrong and what to do",
    content: { "application/problem+json": { schema: ref("Problem") } },
  };
  const failures = Object.fromEntries([...errors, 401, 503].map((code) => [String(code), failure]));
  return { [String(status)]: { description: "Success", ...success }, ...failures };
}
