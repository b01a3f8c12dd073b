// Describes what does not fit a zod schema: missing fields, wrong values, and unknown fields with the nearest known one. An object that
// is not loose allows no unknown field, also where zod would ignore it.
import * as z from "zod";
import { suggest } from "../../text/nearest.ts";
import type { ConfigFlaw } from "./report.ts";

type Path = ConfigFlaw["path"];
type Issue = z.core.$ZodIssue;

/** Cached, because making one costs more than all else here, and a job may have a thousand agents of one kind. */
const jsonSchemas = new WeakMap<z.ZodType, unknown>();

/** `subject` names the value in messages, e.g. `config`. */
export async function shapeFlaws(schema: z.ZodType, value: unknown, subject: string): Promise<ConfigFlaw[]> {
  const parsed = await schema.safeParseAsync(value);
  const issues = parsed.success ? [] : parsed.error.issues;
  const json = jsonSchemas.get(schema) ?? z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  jsonSchemas.set(schema, json);
  return [
    ...issues.flatMap((issue) => describe(issue, pathOf(issue), value, subject)),
    ...unknownFields(json, value, json).map(({ path, known }): ConfigFlaw => {
      const name = String(path.at(-1));
      const owner = nameOf(subject, path.slice(0, -1));
      const hint = known.length === 0 ? `Take it out: ${owner} has no fields at all.` : suggest(name, known);
      return { path, at: "key", message: `${owner} has no field "${name}"`, hint };
    }),
  ];
}

function describe(issue: Issue, path: Path, value: unknown, subject: string): ConfigFlaw[] {
  const input = valueAt(value, path);
  const name = nameOf(subject, path);
  const at = (message: string, hint = ""): ConfigFlaw[] => [{ path, at: "value", message, hint }];
  if (input === undefined && path.length > 0 && (issue.code === "invalid_type" || issue.code === "invalid_value")) {
    const owner = nameOf(subject, path.slice(0, -1));
    const message = `${owner} lacks the field "${String(path.at(-1))}"`;
    return [{ path: path.slice(0, -1), at: "value", message, hint: "" }];
  }
  switch (issue.code) {
    case "unrecognized_keys":
      return [];
    case "invalid_value":
      return at(`${name} cannot be ${shown(input)}`, suggest(shownValue(input), issue.values.map(String)));
    case "invalid_union":
      return describeUnion(issue, path, value, subject) ?? at(`${name} cannot be ${shown(input)}`);
    default:
      return at(`${name}: ${issue.message.replace(/^Invalid input: /, "")}`);
  }
}

function describeUnion(
  issue: Extract<Issue, { code: "invalid_union" }>,
  path: Path,
  value: unknown,
  subject: string,
): ConfigFlaw[] | undefined {
  if (issue.discriminator !== undefined && "options" in issue && Array.isArray(issue.options)) {
    const input = valueAt(value, path);
    const options = issue.options.map(String);
    if (input === undefined) return undefined;
    const message = `${nameOf(subject, path)} cannot be ${shown(input)}`;
    return [{ path, at: "value", message, hint: suggest(shownValue(input), options) }];
  }
  // The variant whose type fits is the one that was meant.
  const meant = issue.errors.find((errors) => errors.length > 0 && errors.every((error) => error.path.length > 0));
  return meant?.flatMap((inner) => describe(inner, [...path, ...pathOf(inner)], value, subject));
}

interface Unknown {
  readonly path: Path;
  readonly known: readonly string[];
}

/** `root` holds the targets of `$ref`. The walk ends, because it follows the value, which is a tree. */
function unknownFields(schema: unknown, value: unknown, root: unknown, path: Path = []): Unknown[] {
  const own = resolved(schema, root);
  if (Array.isArray(value)) {
    const items = property(own, "items");
    return items === undefined ? [] : value.flatMap((item, i) => unknownFields(items, item, root, [...path, i]));
  }
  if (typeof value !== "object" || value === null) return [];
  const options = property(own, "anyOf") ?? property(own, "oneOf");
  if (Array.isArray(options)) {
    const fitting = options.filter((option) => constantsFit(resolved(option, root), value));
    const found = fitting.map((option) => unknownFields(option, value, root, path));
    return found.toSorted((a, b) => a.length - b.length)[0] ?? [];
  }
  const properties = property(own, "properties");
  if (typeof properties !== "object" || properties === null) return [];
  const rest = property(own, "additionalProperties");
  const isOpen = property(own, "allOf") !== undefined || (rest !== undefined && rest !== false);
  return Object.entries(value).flatMap(([key, inner]): Unknown[] => {
    const below = [...path, key];
    if (Object.hasOwn(properties, key)) return unknownFields(property(properties, key), inner, root, below);
    return isOpen ? [] : [{ path: below, known: Object.keys(properties) }];
  });
}

/** Whether a variant of a choice has the constants that the value has. */
function constantsFit(variant: unknown, value: object): boolean {
  if (property(variant, "type") !== "object") return false;
  const properties = property(variant, "properties");
  if (typeof properties !== "object" || properties === null) return true;
  return Object.entries(properties).every(([key, field]) => {
    const constant = property(field, "const");
    return constant === undefined || constant === property(value, key);
  });
}

function resolved(schema: unknown, root: unknown): unknown {
  const ref = property(schema, "$ref");
  if (typeof ref !== "string") return schema;
  return ref
    .split("/")
    .slice(1)
    .reduce((found, step) => property(found, step), root);
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((found, step) => property(found, step), value);
}

function property(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

function pathOf({ path }: Pick<Issue, "path">): Path {
  return path.map((step) => (typeof step === "symbol" ? String(step) : step));
}

/** `config.search.url`, and `skills[0].id of the agent` for a subject of several words. */
function nameOf(subject: string, path: Path): string {
  const steps = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  if (steps === "" || !subject.includes(" ")) return subject + steps;
  return `${steps.replace(/^\./, "")} of ${subject}`;
}

function shownValue(value: unknown): string {
  return typeof value === "string" ? value : shown(value);
}

function shown(value: unknown): string {
  if (value === undefined) return "left out";
  const text = JSON.stringify(value);
  return text === undefined ? typeof value : text.slice(0, 100).toWellFormed();
}
