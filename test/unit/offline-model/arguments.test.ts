import { expect, test } from "vitest";
import { fillArguments, missingArguments } from "../../../workers/offline-model/calls/arguments.ts";
import { delegateProperties, knownTools } from "../../../workers/offline-model/reading/tools.ts";
import { object, text } from "./team.ts";

test.each([
  ["find_agents", "Finds agents by what they can do.", object({ query: text }), "discover"],
  ["ask", "Sends a message.", object({ recipient: text, prompt: text }), "delegate"],
  ["web_search", "Searches the web.", object({ query: text }), "search"],
  ["read", "Reads a page.", object({ url: text }), "fetch"],
  ["find_sources", "Finds the sources of a claim.", object({ claim: text, text }), "check"],
  ["extract_key_points", "Extracts key points.", object({ text }), "digest"],
  ["roll_dice", "Rolls dice.", object({ sides: { type: "integer" } }), "other"],
])("%s is told from its schema", (name, description, input_schema, kind) => {
  expect(knownTools([{ name, description, input_schema }])[0]?.kind).toBe(kind);
});

test("a tool that the API runs itself is never called", () => {
  expect(knownTools([{ name: "web_search", type: "web_search_20250305" }])).toEqual([]);
});

test("the properties of a delegate tool may have other names", () => {
  const [tool] = knownTools([{ name: "ask", input_schema: object({ recipient: text, prompt: text }) }]);
  expect(tool && delegateProperties(tool)).toEqual({ agent: "recipient", message: "prompt" });
});

test("arguments follow names, types, enums, defaults, bounds and references", () => {
  const schema = {
    ...object({
      a: { type: "integer" },
      b: { type: "number", maximum: 5 },
      count: { type: "integer", default: 7 },
      mode: { $ref: "#/$defs/mode" },
      words: { type: "array", items: text },
      nested: object({ url: text, maybe: { anyOf: [{ type: "null" }, { type: "boolean" }] } }),
      version: { const: 2 },
    }),
    $defs: { mode: { type: "string", enum: ["slow", "very_fast"] } },
  };
  expect(fillArguments(schema, { question: "Add 3 and 9 very fast, see https://example.org/x." })).toEqual({
    a: 3,
    b: 5,
    count: 7,
    mode: "very_fast",
    words: ["Add", "3", "9", "fast", "see", "https", "example", "org", "x"],
    nested: { url: "https://example.org/x", maybe: false },
    version: 2,
  });
});

test("optional properties keep the tool's own defaults", () => {
  expect(
    fillArguments(object({ query: text, limit: { type: "integer" } }, ["query"]), { question: "What is workerd?" }),
  ).toEqual({ query: "workerd" });
});

test("a schema that refers to itself comes to an end", () => {
  const schema = object({ child: { $ref: "#" } });
  expect(JSON.stringify(fillArguments(schema, { question: "x" })).length).toBeLessThan(200);
});

const unit = { type: "string", enum: ["km", "mi", "m"] };
const number = { type: "number" };

test.each([
  ["Convert 5 km to mi", object({ value: number, from: unit, to: unit }), []],
  ["Convert 5 from km to mi", object({ value: number, from: text, to: text }), []],
  ["Convert 5 km to mi", object({ value: number, from: text, to: text }), ["from"]],
  ["Convert 5 km to mi", object({ value: number, from_unit: text, to_unit: text }), ["from_unit"]],
  ["Convert km to mi", object({ value: number, from: unit, to: unit }), ["value"]],
  ["Convert 5 km to mi", object({ value: number, one: unit, other: unit }), ["one", "other"]],
  ["Roll the dice", object({ count: { type: "integer", default: 1 }, sides: { type: "integer" } }), ["sides"]],
  ["What is the weather?", object({ city: text }), ["city"]],
])("%s, with %j, lacks %j", (question, schema, missing) => {
  expect(missingArguments(schema, { question })).toEqual(missing);
});

test("a pattern that could keep the engine busy is not tried", () => {
  const schema = object({ id: { type: "string", pattern: "^(a+)+$" } });
  expect(fillArguments(schema, { question: `1${"a".repeat(60)}!` })).toHaveProperty("id");
});
