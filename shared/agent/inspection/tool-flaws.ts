// Finds flaws in tools: what the Messages API would refuse with every message, and what Troupe does not allow.
import * as z from "zod";
import { writtenFields, type Tool } from "../../loop/tools/tool.ts";
import { isRecursive } from "../../loop/ending/output-shape.ts";
import { flaw, type Flaw } from "./report.ts";
import { shapeFlaws } from "./shape-flaws.ts";

const NAME = /^[a-zA-Z0-9_-]{1,128}$/;
const KEY = /^[a-zA-Z0-9_.-]{1,64}$/;
const UNIONS = ["oneOf", "anyOf", "allOf"];

const callable = z.custom<unknown>((value) => typeof value === "function", "it has to be a function");
const ToolShape = z.strictObject({
  name: z.string(),
  description: z.string(),
  input: z.unknown().optional(),
  inputSchema: z.unknown().optional(),
  annotations: z.strictObject({
    readOnly: z.boolean(),
    idempotent: z.boolean(),
    communication: z.literal(true).optional(),
  }),
  limitMs: z.number().positive().nullable().optional(),
  asksItsInput: z.literal(true).optional(),
  run: callable,
});

/** `tool` comes from an agent's code, so it may be any value. It is the `nth` of its name. */
export async function toolFlaws(tool: Tool, nth: number): Promise<Flaw[]> {
  const named: unknown = Reflect.get(Object(tool), "name");
  if (typeof named !== "string") return [flaw("a tool has no name", "Make tools with defineTool.")];
  const subject = `the tool ${named}`;
  const shape = await shapeFlaws(ToolShape, writtenFields(tool), subject);
  const flaws = [
    ...nameFlaws(named),
    ...shape.map(({ path, at, message, hint }) => flaw(message, hint, at === "key" ? String(path.at(-1)) : named)),
    ...schemaFlaws(subject, named, tool.inputSchema),
  ];
  return flaws.map((found) => (found.quote === named ? { ...found, nth } : found));
}

/** Names of tools in the order in which the model gets them, with those that the API runs itself. */
export function doubledNames(names: readonly string[]): Flaw[] {
  const doubled = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  return [...doubled].map((name) =>
    flaw(
      `two tools are called ${name}`,
      "Give each a name of its own; find_agents and query_agent are Troupe's.",
      name,
      2,
    ),
  );
}

export function nameFlaws(name: string): Flaw[] {
  if (NAME.test(name)) return [];
  const message = `no tool can be called ${JSON.stringify(name.slice(0, 200))}`;
  return [flaw(message, "A tool's name is letters a-z, digits, _ and -, at most 128.", name)];
}

function schemaFlaws(subject: string, name: string, input: unknown): Flaw[] {
  const { data: schema } = z.record(z.string(), z.unknown()).safeParse(input);
  if (schema === undefined) return [flaw(`${subject} has no input schema`, "Make tools with defineTool.", name)];
  const union = UNIONS.find((keyword) => schema[keyword] !== undefined);
  if (union !== undefined) {
    const hint = "Make it one z.object, with the choice inside a field, or make a tool of each.";
    return [
      flaw(`the input of ${subject} is a choice of shapes (${union}), which the Messages API refuses`, hint, name),
    ];
  }
  if (schema["type"] !== "object") {
    return [flaw(`the input of ${subject} is no object, which the Messages API refuses`, "Make it a z.object.", name)];
  }
  const properties = z.record(z.string(), z.unknown()).catch({}).parse(schema["properties"]);
  const keys = Object.keys(properties).filter((key) => !KEY.test(key));
  return [
    ...keys.map((key) =>
      flaw(
        `the Messages API refuses the field ${JSON.stringify(key.slice(0, 200))} of ${subject}`,
        "A field's name is letters a-z, digits, _, - and ., at most 64.",
        key,
      ),
    ),
    ...(isRecursive(schema)
      ? [flaw(`the input of ${subject} holds itself, which the Messages API refuses`, "Write its levels out.", name)]
      : []),
  ];
}
