import { describe, expect, it } from "vitest";
import * as z from "zod";
import { outputShape, parseOutput } from "#shared/loop/ending/output-shape.ts";

describe("the schema that the API is given", () => {
  it("closes every object, wherever it stands", () => {
    const inner = z.object({ x: z.string() });
    const shape = z.object({
      list: z.array(inner),
      either: z.union([inner, z.looseObject({ y: z.string() })]),
      tagged: z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("a") }),
        z.object({ kind: z.literal("b"), inner }),
      ]),
      maybe: z.nullable(inner),
      left: inner.optional(),
      none: z.object({}),
    });
    const { jsonSchema: schema } = outputShape(shape);
    const objects = everySchema(schema).filter(({ type, properties }) => String(type).includes("object") || properties);
    expect(objects.length).toBeGreaterThanOrEqual(9);
    for (const object of objects) expect(object).toHaveProperty("additionalProperties", false);
    expect(everySchema(schema).filter(({ oneOf }) => oneOf)).toEqual([]);
  });

  it("says in words what the API cannot check, and keeps what it can", () => {
    const shape = z.object({
      count: z.int().min(1).max(5).describe("How many"),
      free: z.int(),
      name: z.string().min(2),
      mail: z.email(),
    });
    expect(outputShape(shape).jsonSchema).toEqual({
      type: "object",
      properties: {
        count: { type: "integer", description: "How many (minimum: 1, maximum: 5)" },
        free: { type: "integer" },
        name: { type: "string", description: "(minLength: 2)" },
        mail: { type: "string", format: "email", description: expect.stringContaining("pattern") },
      },
      required: ["count", "free", "name", "mail"],
      additionalProperties: false,
    });
  });

  it.each([
    ["a list", z.array(z.string()), "is an object"],
    ["text", z.string(), "is an object"],
    ["a record", z.object({ by: z.record(z.string(), z.number()) }), "list of objects"],
    ["a date", z.object({ at: z.date() }), "Date"],
  ])("does not exist for %s", (_, shape, message) => {
    expect(() => outputShape(shape)).toThrow(message);
  });
});

describe("an answer in a shape", () => {
  const shape = z.object({ n: z.number().max(5) });

  it.each(['{"n":1}', ' {"n":1}\n', '```json\n{"n":1}\n```', '```\n{"n":1}\n```\n', '```JSON\r\n{"n":1}\r\n```'])(
    "is read from %j",
    async (text) => expect(await parseOutput(shape, text)).toEqual({ value: { n: 1 } }),
  );

  it.each([
    "",
    "one",
    'Here it is: {"n":1}',
    '```json\n{"n":1}\n```\nDone.',
    '```json\n{"n":1}\n```\n```json\n{"n":2}\n```',
    "```",
    "```json\n```",
    '{"n":1',
  ])("is not guessed from %j, and the model is told", async (text) => {
    expect(await parseOutput(shape, text)).toEqual({ error: expect.stringContaining("is not JSON") });
  });

  it("that does not fit is told where", async () => {
    expect(await parseOutput(shape, '{"n":6}')).toEqual({ error: expect.stringMatching(/does not fit[^]*at n/) });
    expect(await parseOutput(shape, "{}")).toHaveProperty("error");
    expect(await parseOutput(shape, "[".repeat(10_000))).toEqual({ error: expect.stringContaining("256 levels deep") });
  });

  it("may be checked by code that has to wait", async () => {
    const even = z.object({ n: z.number() }).refine(async ({ n }) => n % 2 === 0, "n is odd");
    expect(await parseOutput(even, '{"n":2}')).toEqual({ value: { n: 2 } });
    expect(await parseOutput(even, '{"n":1}')).toEqual({ error: expect.stringContaining("n is odd") });
  });
});

type Schema = Record<string, unknown>;
function everySchema(schema: Schema): Schema[] {
  const inside = Object.values(schema).flatMap((value) =>
    typeof value === "object" && value !== null ? everySchema(value as Schema) : [],
  );
  return [schema, ...inside];
}
